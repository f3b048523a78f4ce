"""`runs`: the runs below the artifacts root."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from rich.table import Table

from shared.config.load import load_system
from supervisor.cli.console import table_console
from supervisor.run.directory import RunDirectory


def run(arguments: argparse.Namespace) -> int:
    """List runs, newest last, as a table or as JSON."""
    root = Path(load_system(arguments.config).artifacts_root)
    found = [_describe(journal.parent) for journal in sorted(root.glob("*/*/journal.jsonl"))]
    console = table_console()
    if arguments.json:
        console.print_json(json.dumps(found))
        return 0
    table = Table("status", "triggers", "deployed", title=f"runs below {root}")
    table.add_column("run directory", overflow="fold")
    for one in found:
        deployed = "–" if one["deployed"] is None else f"model {one['deployed']}"
        table.add_row(one["status"], str(one["triggers"]), deployed, one["run_dir"])
    console.print(table)
    return 0


def _describe(folder: Path) -> dict[str, Any]:
    """A run by its journal, and by who works on it."""
    try:
        running = RunDirectory(folder).lock.holder() is not None
        triggers, deployed, status = _told_by(folder / "journal.jsonl")
    except (OSError, ValueError) as error:
        return {"run_dir": str(folder), "status": f"unreadable: {error}", "triggers": 0, "deployed": None}
    status = "running" if running else status
    return {"run_dir": str(folder), "status": status, "triggers": triggers, "deployed": deployed}


def _told_by(journal: Path) -> tuple[int, int | None, str]:
    """Triggers fired, the model deployed last, and how the last session ended."""
    triggers, deployed, status = 0, None, "killed"
    with journal.open("rb") as lines:
        for line in lines:
            if not line.endswith(b"\n") or not any(word in line for word in _TELLING):
                continue
            event = json.loads(line)
            triggers += len(event.get("triggers", ())) + (event.get("everything") is not None)
            report = event.get("report", {})
            if report.get("report") == "decided":
                first = report["targets"][0]
                deployed = first["trigger"] if first["run"] == report["task_id"].split("/")[0] else None
            status = {"ended": event.get("status"), "resumed": "killed"}.get(event["event"], status)
    return triggers, deployed, status


_TELLING = (
    b'"event":"run_started"',
    b'"event":"observed"',
    b'"report":"decided"',
    b'"event":"ended"',
    b'"event":"resumed"',
)
