"""The table of a comparison, as a terminal shows it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from shared.folder_names import readable
from shared.timestamps import to_the_minute
from shared.words import counted
from supervisor.results.took import duration, selects_long

_BASELINES = {"first_model": "first\nmodel", "majority": "majority\nso far", "no_change": "no\nchange"}
_OF_NUMBERS = {**_BASELINES, "majority": "mean\nso far"}
_BETWEEN_SETTINGS = re.compile(r",(?=[\w.]+=)")  # a value may hold commas, too
_NAME_WIDTH = 12
_STATUS = {"running": "still running", "killed": "killed, or lost its supervisor"}


@dataclass(frozen=True)
class _Column:
    """A number of each run."""

    title: str
    cells: list[str]

    @property
    def width(self) -> int:
        """With the spaces before and behind it."""
        return 2 + max(map(len, (*self.title.split("\n"), *self.cells)))


def comparison_table(content: Mapping[str, Any]) -> RenderableType:
    """The content of a comparison, a line a run; baselines are of the metric that sorts."""
    return _Fitted(content)


class _Fitted:
    """One table, or several below each other where a terminal is too narrow for one: no number is ever cut."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        work, baselines = _work(self._content), _baselines(self._content)
        yield Text(_title(self._content))
        for part in _parts(work, baselines, options.max_width):
            yield self._table(part)
        yield Text("\n".join(_remarks(self._content)), style="dim italic")

    def _table(self, columns: Sequence[_Column]) -> Table:
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        table.add_column("run", overflow="fold", min_width=_NAME_WIDTH)
        for column in columns:
            table.add_column(column.title, justify="right", no_wrap=True)
        for number, run in enumerate(self._content["runs"]):
            cells = (column.cells[number] for column in columns)
            table.add_row(Text(_name(run["name"])), *cells, style="bold" if number == 0 else None)
        return table


def _work(content: Mapping[str, Any]) -> list[_Column]:
    """The scores, and what each run took."""
    runs, arrow = content["runs"], _arrow(content)
    scores = [
        _Column(
            f"{metric}\n{arrow if metric == content['sorted_by'] else ''}",
            [_score(run["composite"][metric]) for run in runs],
        )
        for metric in content["metrics"]
    ]
    counts = {"rows\nscored": "rows_scored", "trig-\ngers": "triggers", "samples\ntrained": "samples_trained"}
    seconds = {"train-\ning": "train_s"}
    if any(map(selects_long, runs)):
        seconds["select-\ning"] = "select_s"
    return [
        *scores,
        *(_Column(title, [f"{run[key]:,}" for run in runs]) for title, key in counts.items()),
        *(_Column(title, [duration(run[key]) for run in runs]) for title, key in seconds.items()),
    ]


def _baselines(content: Mapping[str, Any]) -> list[_Column]:
    """What needs no training, in the metric that sorts."""
    titles = _OF_NUMBERS if content["task"] == "regression" else _BASELINES
    return [
        _Column(title, [_score(run["baselines"][key][content["sorted_by"]]) for run in content["runs"]])
        for key, title in titles.items()
    ]


def _parts(work: list[_Column], baselines: list[_Column], width: int) -> Iterator[list[_Column]]:
    """All columns side by side; if there is no room for it beside a name, baselines below, and as many as there is."""
    for group in ([*work, *baselines],) if _fit([*work, *baselines], width) else (work, baselines):
        part: list[_Column] = []
        for column in group:
            if part and not _fit([*part, column], width):
                yield part
                part = []
            part.append(column)
        yield part


def _fit(columns: Sequence[_Column], width: int) -> bool:
    return _NAME_WIDTH + 2 + sum(column.width for column in columns) <= width


def _title(content: Mapping[str, Any]) -> str:
    """Scores are to be compared only on the same rows."""
    runs = counted(len(content["runs"]), "run")
    first, last = (_minute(content[end]) for end in ("first_timestamp", "last_timestamp"))
    whom = "it" if len(content["runs"]) == 1 else "all of them"
    return f"{runs}, on the {counted(content['rows'], 'row')} that {whom} scored: {first} to {last}"


def _arrow(content: Mapping[str, Any]) -> str:
    return "▲ best" if content["greater_is_better"] else "▼ best"


def _name(name: str) -> str:
    """A run of a sweep is called by several settings, which stand below each other."""
    return _BETWEEN_SETTINGS.sub(",\n", readable(name))


def _minute(timestamp: str | None) -> str:
    return "?" if timestamp is None else to_the_minute(timestamp)


def _score(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _remarks(content: Mapping[str, Any]) -> Iterator[str]:
    """What else must be known to read the table."""
    runs, anew = content["runs"], content["evaluated_anew"]
    yield f"baselines: {content['sorted_by']} on the same rows; rows scored: by the run in all"
    if anew["windows"]:
        yield f"evaluated anew, as not all their rows were scored by all runs: {counted(anew['windows'], 'window')}"
    for metric in content["metrics"]:
        counts = Counter(run["undefined_windows"][metric] for run in runs)
        if set(counts) != {0}:
            each = ", ".join(
                f"{readable(run['name'])} {run['undefined_windows'][metric]}"
                for run in runs
                if run["undefined_windows"][metric]
            )
            yield f"windows left out of {metric}, which is undefined there: {each}"
    for run in runs:
        name = readable(run["name"])
        if run["status"] != "finished":
            status = _STATUS.get(run["status"], run["status"])
            yield f"{name} is {status}: compared as far as it has come"
        if run["failed_triggers"]:
            yield f"{name} failed at {run['failed_triggers']:,} of its {run['triggers']:,} triggers"
        if run["rows"] != content["rows"]:
            yield f"{name} has scores of {run['rows']:,} of these rows: it knew labels that others did not"
