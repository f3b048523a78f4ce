"""`runs`: the runs of an artifacts root, wherever they are."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from shared.config.load import load_system
from shared.timestamps import format_timestamp, now_us
from supervisor.cli.console import table_console
from supervisor.cli.runs_table import notes, runs_table
from supervisor.run.directory import RunDirectory
from supervisor.run.glance import Glance, glance
from supervisor.run.progress_note import progress_of
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
    if not found:
        console.print(f"no runs below {root} yet", markup=False, highlight=False, soft_wrap=True)
        return 0
    console.print(runs_table(root, found))
    for one in found:
        for sentence in notes(one):
            console.print(sentence, markup=False, highlight=False, soft_wrap=True)
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
    """All that is told of one run. What the journal knows comes from there; scores stand in the summary alone."""
    summary, running = RunDirectory(folder).summary(), status == "running"
    progress = progress_of(folder) if running else {}
    begun = seen.last_us > 0
    return {
        "run_dir": str(folder),
        "status": status,
        "mode": seen.mode or None,
        "start": format_timestamp(seen.started_us) if begun else None,
        "duration_s": seen.worked_us(now_us() if running else None) / 1e6 if begun else None,
        "triggers": seen.triggers,
        "score": _score(summary),
        "rows": progress.get("rows_seen", summary.get("samples_seen")),
        "deployed": seen.deployed,
        "rehearsed": begun and not seen.serves,
        "not_read": seen.unread.named,
        "files_not_read": seen.unread.files,
        "rows_held": seen.rows_held,
        "waits_for": _waits_for(status, summary),
        "progress": progress or None,
    }


def _score(summary: dict[str, Any]) -> dict[str, float | None]:
    """By metric; none where the summary is damaged: it is no reason to list nothing."""
    try:
        return msgspec.convert(summary.get("composite") or {}, dict[str, float | None])
    except msgspec.ValidationError:
        return {}


def _waits_for(status: str, summary: dict[str, Any]) -> str | None:
    if status == _WAITING:
        return "the first rows of its dataset"
    return summary.get("waits_for") if status == "running" else None
