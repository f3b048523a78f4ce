"""`runs`: the runs of an artifacts root, wherever they are."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.table import Table

from shared.config.load import load_system
from shared.timestamps import now_us
from supervisor.cli.console import table_console
from supervisor.run.directory import RunDirectory
from supervisor.run.glance import Glance, glance
from supervisor.system.known_runs import known_runs, noted_places

_WAITING = "waiting"


def run(arguments: argparse.Namespace) -> int:
    """List runs, newest last, as a table or as JSON."""
    root = Path(load_system(arguments.config).artifacts_root)
    seen = [(folder, *_look(folder)) for folder in known_runs(root)] + list(_waiting(root))
    found = [_describe(*one) for one in sorted(seen, key=lambda one: one[2].started_us)]
    console = table_console()
    if arguments.json:
        console.print_json(json.dumps(found))
        return 0
    table = Table("status", "triggers", "deployed", "not read", title=f"runs of {root}")
    table.add_column("run directory", overflow="fold")
    waits = any(one["waits_for"] for one in found)
    if waits:
        table.add_column("waits for")
    for one in found:
        deployed = "–" if one["deployed"] is None else f"model {one['deployed']}"
        waits_for = [one["waits_for"] or "–"] if waits else []
        facts = one["status"], str(one["triggers"]), deployed, str(one["files_not_read"] or "–"), one["run_dir"]
        table.add_row(*facts, *waits_for)
    console.print(table)
    for one in found:
        for sentence in one["not_read"].values():
            console.print(f"{one['run_dir']} does not read: {sentence}", markup=False, soft_wrap=True)
    return 0


def _look(folder: Path) -> tuple[str, Glance]:
    """The status of a run by its journal, and by who works on it; and what else the journal says."""
    try:
        directory = RunDirectory(folder)
        seen = glance(directory.journal_path)
        return "running" if directory.lock.holder() is not None else seen.status, seen
    except (OSError, ValueError) as error:
        return f"unreadable: {error}", Glance()


def _waiting(root: Path) -> Iterator[tuple[Path, str, Glance]]:
    """Supervisors that wait for the first rows, where their runs will begin."""
    for folder in sorted(noted_places(root)):
        with suppress(OSError):
            directory = RunDirectory(folder)
            if not directory.holds_a_run and directory.waiting() is not None:
                yield folder, _WAITING, Glance(started_us=now_us())


def _describe(folder: Path, status: str, seen: Glance) -> dict[str, Any]:
    return {
        "run_dir": str(folder),
        "status": status,
        "triggers": seen.triggers,
        "deployed": seen.deployed,
        "not_read": seen.unread.named,
        "files_not_read": seen.unread.files,
        "waits_for": _waits_for(folder, status),
    }


def _waits_for(folder: Path, status: str) -> str | None:
    if status == _WAITING:
        return "the first rows of its dataset"
    return RunDirectory(folder).summary().get("waits_for") if status == "running" else None
