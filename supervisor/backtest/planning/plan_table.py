"""A plan for people: a line a trigger, and what they come to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from shared.printable import printable
from shared.timestamps import to_the_minute
from shared.words import counted
from supervisor.results.took import brief


def plan_table(content: Mapping[str, Any]) -> RenderableType:
    """What `plan --json` prints."""
    parts: list[RenderableType] = [Text(_title(content))]
    if content["triggers"]:
        parts.append(_table(content))
    return Group(*parts, *(Text(line) for line in _lines(content)))


def _title(content: Mapping[str, Any]) -> str:
    triggers, rows = counted(len(content["triggers"]), "trigger"), counted(content["rows"], "row")
    guards = f" with {', '.join(content['guards'])}" if content["guards"] else ""
    ends = [to_the_minute(content[end]) for end in ("first_timestamp", "last_timestamp")]
    so_far = "" if content["untold"] is None else " so far"
    return f"{content['policy']}{guards}: {triggers}{so_far} on {rows} of {content['dataset']}, {ends[0]} to {ends[1]}"


def _table(content: Mapping[str, Any]) -> Table:
    has_rows = content["triggers"][0]["selected_at_most"] is not None
    has_seconds = content["triggers"][0]["train_s_at_most"] is not None
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for title in ("trig-\nger", "key", "event time", "new\nrows"):
        table.add_column(title, justify="left" if title == "event time" else "right", no_wrap=True)
    if has_rows:
        table.add_column("selected\nat most", justify="right", no_wrap=True)
    if has_seconds:
        table.add_column("training\nat most", justify="right", no_wrap=True)
    table.add_column("reason", overflow="fold")
    for one in content["triggers"]:
        cells = [str(one["id"]), f"{one['key']:,}", to_the_minute(one["timestamp"]), f"{one['samples_seen']:,}"]
        cells += [f"{one['selected_at_most']:,}"] if has_rows else []
        cells += [brief(one["train_s_at_most"])] if has_seconds else []
        table.add_row(*cells, Text(printable(one["reason"])))
    return table


def _lines(content: Mapping[str, Any]) -> Iterator[str]:
    """What else there is to know."""
    if content["selected_at_most"] is None:
        yield "how many rows are selected is not told: the table of labels decides it"
    elif content["triggers"]:
        yield _cost(content)
    if content["questions"]:
        yield f"{counted(content['questions'], 'question')} answered by detectors"
    if content["near_misses"]:
        yield f"{counted(len(content['near_misses']), 'look')} led to no trigger; --json says why"
    for one in content["violations"]:
        rows = f"rows {one['first_key']:,} to {one['last_key']:,}"
        yield f"! {rows} are not as expected ({one['on_violation']}): {one['why']}"
    if content["rough"]:
        yield (
            f"! the policy hears how many rows were selected, and of strategy {content['strategy']} only the most is "
            "known: a run may fire otherwise"
        )
    untold = content["untold"]
    if untold is not None:
        yield (
            f"! only a back-test or a run can tell what follows from key {untold['key']:,} "
            f"({to_the_minute(untold['timestamp'])}): {untold['why']}"
        )


def _cost(content: Mapping[str, Any]) -> str:
    epochs, rows = content["epochs"], content["selected_at_most"]
    line = f"at most {counted(rows, 'row')} selected by {content['strategy']} in all"
    line += f", {content['trained_at_most']:,} trained on in {epochs:,} epochs" if epochs > 1 else ""
    seconds = content["train_s_at_most"]
    if seconds is None:
        return f"{line}; --seconds-per-sample says how long that takes"
    return f"{line}: {brief(seconds)} of training"
