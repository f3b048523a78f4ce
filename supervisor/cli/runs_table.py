"""The table of runs for people, to be read within a hundred columns, and the lines below it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from shared.folder_names import readable
from shared.timestamps import to_the_minute
from shared.words import counted
from supervisor.cli.spans import span_in_words

_NOTHING = "–"


def runs_table(root: Path, runs: Sequence[Mapping[str, Any]]) -> Table:
    """A line a run; where it lies is told from the root on."""
    table = Table(title=Text(f"runs of {root}"), title_justify="left", box=None, padding=(0, 1, 0, 0))
    for column in ("status", "start (UTC)", "duration"):
        table.add_column(column)
    table.add_column("triggers", justify="right")
    for column in ("score", "deployed"):
        table.add_column(column)
    unread = any(one["files_not_read"] for one in runs)
    if unread:
        table.add_column("not read", justify="right")
    table.add_column("run directory", overflow="fold")
    for one in runs:
        files = [str(one["files_not_read"] or _NOTHING)] if unread else []
        table.add_row(*map(Text, (*_facts(one), *files, _place(root, one["run_dir"]))))  # brackets are no markup
    return table


def _facts(one: Mapping[str, Any]) -> tuple[str, ...]:
    start = _NOTHING if one["start"] is None else to_the_minute(one["start"])
    lasted = _NOTHING if one["duration_s"] is None else span_in_words(one["duration_s"])
    return one["status"], start, lasted, f"{one['triggers']:,}", _score(one["score"]), _deployed(one)


def _score(composite: Mapping[str, float | None]) -> str:
    """That of the first metric."""
    for metric, value in composite.items():
        return f"{metric} {_NOTHING if value is None else f'{value:.4f}'}"
    return _NOTHING


def _deployed(one: Mapping[str, Any]) -> str:
    """A replay deploys to a folder of its own run directory, unless it is told otherwise: nobody is served that."""
    if one["deployed"] is None:
        return _NOTHING
    return f"{one['deployed']} (rehearsal)" if one["rehearsed"] else f"model {one['deployed']}"


def _place(root: Path, run_dir: str) -> str:
    place = Path(run_dir)
    return readable(str(place.relative_to(root))) if place.is_relative_to(root) else run_dir


def notes(one: Mapping[str, Any]) -> Iterator[str]:
    """What a run that goes on has done and waits for, what it holds, and what it does not read."""
    far = [part for part in ((one["progress"] or {}).get("sentence"), one["waits_for"]) if part]
    if far:
        yield f"{one['run_dir']}: {'; '.join(far)}"
    if one["rows_held"]:
        held = counted(one["rows_held"], "row")
        yield f"{one['run_dir']} holds {held} that were not as expected, until a trigger by hand has them"
    for sentence in one["not_read"].values():
        yield f"{one['run_dir']} does not read: {sentence}"
