"""The table of a comparison, as a terminal shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

_BASELINES = {"first_model": "first\nmodel", "majority": "majority\nso far", "no_change": "no\nchange"}
_OF_NUMBERS = {**_BASELINES, "majority": "mean\nso far"}
_ANY = 1_000  # columns
_STATUS = {"running": "still running", "killed": "killed, or lost its supervisor"}


class ComparisonTable:
    """The content of a comparison, a line a run, as wide as it is shown; baselines are of the metric that sorts."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The first form that fits: a number that is cut would be read as another number."""
        for metrics, roomy in _forms(self._content):
            table = _table(self._content, metrics, roomy=roomy)
            names, widest = table.columns[0], table.columns[0].max_width
            names.max_width = names.min_width  # a name may be folded anywhere, which no measure knows
            needed = Measurement.get(console, options.update(max_width=_ANY), table).minimum
            names.max_width = widest
            if needed <= options.max_width:
                break
        yield table


def _forms(content: Mapping[str, Any]) -> Iterator[tuple[list[str], bool]]:
    """With all metrics; without space; then with fewer metrics, but always that which sorts."""
    metrics, by = list(content["metrics"]), content["sorted_by"]
    yield metrics, True
    yield metrics, False
    for one in reversed([metric for metric in metrics if metric != by]):
        metrics = [metric for metric in metrics if metric != one]
        yield metrics, False


def _table(content: Mapping[str, Any], metrics: Sequence[str], *, roomy: bool) -> Table:
    by = content["sorted_by"]
    table = Table(title=_title(content), box=SIMPLE_HEAD, padding=(0, int(roomy), 0, 0), pad_edge=False)
    table.add_column("run", overflow="fold", min_width=12 if roomy else 8)
    for metric in metrics:
        table.add_column(f"{metric}\n{_arrow(content) if metric == by else ''}", justify="right", no_wrap=True)
    baselines = _OF_NUMBERS if content["task"] == "regression" else _BASELINES
    for title in ("rows\nscored", "trig-\ngers", "samples\ntrained", "train-\ning", *baselines.values()):
        table.add_column(title, justify="right", no_wrap=True)
    for number, run in enumerate(content["runs"]):
        table.add_row(
            Text(_name(run["name"])),
            *(_score(run["composite"][metric]) for metric in metrics),
            f"{run['rows_scored']:,}",
            f"{run['triggers']:,}",
            f"{run['samples_trained']:,}",
            _duration(run["train_s"]),
            *(_score(run["baselines"][name][by]) for name in baselines),
            style="bold" if number == 0 else None,
        )
    table.caption = Text("\n".join([*_remarks(content), *_hidden(content, metrics)]))
    table.caption_justify = "left"
    return table


def _hidden(content: Mapping[str, Any], metrics: Sequence[str]) -> Iterator[str]:
    """What there was no room for."""
    hidden = [metric for metric in content["metrics"] if metric not in metrics]
    if hidden:
        yield f"not shown, as the terminal is too narrow: {', '.join(hidden)}; --json has all"


def _title(content: Mapping[str, Any]) -> Text:
    """Scores are to be compared only on the same rows."""
    runs = "1 run" if len(content["runs"]) == 1 else f"{len(content['runs'])} runs"
    first, last = (_minute(content[end]) for end in ("first_timestamp", "last_timestamp"))
    whom = "it" if len(content["runs"]) == 1 else "all of them"
    return Text(f"{runs}, on the {content['rows']:,} rows that {whom} scored: {first} to {last}")


def _arrow(content: Mapping[str, Any]) -> str:
    return "▲ best" if content["greater_is_better"] else "▼ best"


def _name(name: str) -> str:
    """A run of a sweep is called by several settings, which stand below each other."""
    return name.replace(",", ",\n")


def _minute(timestamp: str | None) -> str:
    return "?" if timestamp is None else timestamp[:16].replace("T", " ")


def _score(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _duration(seconds: float) -> str:
    """`8.4 s`, `32 min`, `23 h`: in few characters."""
    if seconds < 1_000:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 60_000 else f"{seconds / 3600:.0f} h"


def _remarks(content: Mapping[str, Any]) -> Iterator[str]:
    """What else must be known to read the table."""
    runs, anew = content["runs"], content["evaluated_anew"]
    yield f"baselines: {content['sorted_by']} on the same rows; rows scored: by the run in all"
    if anew["windows"]:
        yield f"evaluated anew, as not all their rows were scored by all runs: {anew['windows']:,} windows"
    for metric in content["metrics"]:
        counts = Counter(run["undefined_windows"][metric] for run in runs)
        if set(counts) != {0}:
            each = ", ".join(
                f"{run['name']} {run['undefined_windows'][metric]}" for run in runs if run["undefined_windows"][metric]
            )
            yield f"windows left out of {metric}, which is undefined there: {each}"
    for run in runs:
        if run["status"] != "finished":
            status = _STATUS.get(run["status"], run["status"])
            yield f"{run['name']} is {status}: compared as far as it has come"
        if run["failed_triggers"]:
            yield f"{run['name']} failed at {run['failed_triggers']:,} of its {run['triggers']:,} triggers"
        if run["rows"] != content["rows"]:
            yield f"{run['name']} has scores of {run['rows']:,} of these rows: it knew labels that others did not"
