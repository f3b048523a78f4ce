"""`runs`: the runs below the artifacts root."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import msgspec
from rich.table import Table

from shared.config.load import load_system
from supervisor.cli.console import table_console
from supervisor.core.events import Unread
from supervisor.run.directory import RunDirectory


def run(arguments: argparse.Namespace) -> int:
    """List runs, newest last, as a table or as JSON."""
    root = Path(load_system(arguments.config).artifacts_root)
    found = [_describe(journal.parent) for journal in sorted(root.glob("*/*/journal.jsonl"))]
    console = table_console()
    if arguments.json:
        console.print_json(json.dumps(found))
        return 0
    table = Table("status", "triggers", "deployed", "not read", title=f"runs below {root}")
    table.add_column("run directory", overflow="fold")
    for one in found:
        deployed = "–" if one["deployed"] is None else f"model {one['deployed']}"
        table.add_row(one["status"], str(one["triggers"]), deployed, str(one["files_not_read"] or "–"), one["run_dir"])
    console.print(table)
    for one in found:
        for sentence in one["not_read"].values():
            console.print(f"{one['run_dir']} does not read: {sentence}", markup=False, soft_wrap=True)
    return 0


def _describe(folder: Path) -> dict[str, Any]:
    """A run by its journal, and by who works on it."""
    try:
        running = RunDirectory(folder).lock.holder() is not None
        told = _told_by(folder / "journal.jsonl")
    except (OSError, ValueError) as error:
        told, running = {**_NOTHING, "status": f"unreadable: {error}"}, False
    return {"run_dir": str(folder), **told, **({"status": "running"} if running else {})}


def _told_by(journal: Path) -> dict[str, Any]:
    """How the last session ended, triggers fired, the model deployed last, and the files that are not read."""
    told = dict(_NOTHING)
    with journal.open("rb") as lines:
        for line in lines:
            if not line.endswith(b"\n") or not any(word in line for word in _TELLING):
                continue
            event = json.loads(line)
            told["triggers"] += len(event.get("triggers", ())) + (event.get("everything") is not None)
            report = event.get("report", {})
            if report.get("report") == "decided":
                first = report["targets"][0]
                told["deployed"] = first["trigger"] if first["run"] == report["task_id"].split("/")[0] else None
            if event["event"] == "not_read":
                unread = msgspec.convert(event["unread"], Unread)
                told |= {"not_read": unread.named, "files_not_read": unread.files}
            told["status"] = {"ended": event.get("status"), "resumed": "killed"}.get(event["event"], told["status"])
    return told


_NOTHING: dict[str, Any] = {"status": "killed", "triggers": 0, "deployed": None, "not_read": {}, "files_not_read": 0}
_TELLING = (
    b'"event":"run_started"',
    b'"event":"observed"',
    b'"report":"decided"',
    b'"event":"ended"',
    b'"event":"resumed"',
    b'"event":"not_read"',
)
