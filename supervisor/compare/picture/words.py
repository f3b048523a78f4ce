"""The words of the picture: title, axes, and a line of the legend for each run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from shared.folder_names import readable
from shared.printable import printable
from shared.timestamps import to_the_minute
from shared.words import counted

LONGEST_NAME = 52  # letters
MOST_LISTED = 40  # runs in a legend
_WORST_LISTED = 2  # of them, at least
_MORE = "…"
_FIGURE_SPACE = "\N{FIGURE SPACE}"  # as wide as a figure; an SVG keeps several of them, unlike others
_EN_SPACE = "\N{EN SPACE}"
_GROUPS = re.compile(r"(?:\w+\.)+(?=\w+=)")  # of a key, before its last word
_WIDER = 20  # letters more, where shorter names would be the same
_UNITS = {
    r"accuracy|top_\d+": "share of rows",
    "log_loss": "nats",
    "mse": "squared units of the label",
    "mae": "units of the label",
}


def title(content: Mapping[str, Any]) -> str:
    """What is shown, of how many runs."""
    return printable(f"{content['sorted_by']} of {counted(len(content['runs']), 'run')}, window by window")


def subtitle(content: Mapping[str, Any]) -> str:
    """Which rows these are, and what a good score is."""
    rows, runs = content["rows"], len(content["runs"])
    whose = "" if runs == 1 else " that all runs scored"
    stretch = ""
    if content["first_timestamp"] and content["last_timestamp"]:
        stretch = f", {to_the_minute(content['first_timestamp'])} to {to_the_minute(content['last_timestamp'])} UTC"
    good = "higher" if content["greater_is_better"] else "lower"
    return f"{counted(rows, 'row')}{whose}{stretch} · {good} is better"


def score_axis(metric: str, kind: str) -> str:
    """The metric, its unit, and that the axis is no linear one."""
    unit = next((unit for pattern, unit in _UNITS.items() if re.fullmatch(pattern, metric)), None)
    told = [unit] if unit else []
    told += {"log": ["logarithmic axis"], "symlog": ["logarithmic axis, linear around 0"]}.get(kind, [])
    return printable(f"{metric} ({', '.join(told)})" if told else metric)


def nothing_to_draw(metric: str) -> str:
    """Instead of lines."""
    return printable(f"no window has a score of {metric} and rows with a time")


def note(many: bool, together: bool) -> str:
    """What is to be known of the lines."""
    told = ["A level is a window. It begins with a trigger of the run, which is marked where there is room."]
    if together:
        told.append("Windows too narrow to be seen one by one are drawn together, as their mean weighted by rows.")
    if many:
        told.append("The best and the worst runs stand out; all others are grey.")
    return "\n".join(told)


def legend_title(metric: str, runs: int) -> str:
    """What the numbers of the legend are."""
    return printable(f"{metric} over all rows{'' if runs == 1 else ', best first'}")


def listed(runs: int, scored: int) -> list[int | None]:
    """Which runs the legend lists, by place: of very many not all, but the worst that have a score.

    None where some are left out.
    """
    if runs <= MOST_LISTED:
        return list(range(runs))
    best = MOST_LISTED - _WORST_LISTED - 1
    return [*range(best), None, *range(max(best, scored - _WORST_LISTED), max(best, scored))]


def legend_lines(content: Mapping[str, Any], places: Sequence[int | None]) -> list[str]:
    """Composite and name of each run that is listed; figures first, as these are all equally wide."""
    metric, runs = content["sorted_by"], content["runs"]
    scores = [_score(run["composite"][metric]) for run in runs]
    wide = max(map(len, scores), default=0)
    names = short_names([run["name"] for run in runs])
    lines = [f"{score.rjust(wide, _FIGURE_SPACE)}{_EN_SPACE}{name}" for score, name in zip(scores, names, strict=True)]
    return [f"{_MORE} {len(runs) - len(places) + 1} more" if place is None else lines[place] for place in places]


def _score(value: float | None) -> str:
    """As the table has it; large ones in fewer digits."""
    if value is None:
        return "–"
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:.6g}"


def short_names(names: Sequence[str]) -> list[str]:
    """Names that fit into the legend and still tell the runs apart.

    Of `trigger.every=500,…` only the last word of each key, and what is too long then is cut in the middle.
    """
    shown = [printable(readable(name)) for name in names]
    longest = max(map(len, shown), default=0)
    if longest <= LONGEST_NAME:
        return shown
    tried = [_GROUPS.sub("", name) for name in shown]
    for length in range(LONGEST_NAME, longest, _WIDER):
        short = [cut(name, length) for name in tried]
        if len(set(short)) == len(short):
            return short
    return shown


def cut(name: str, length: int) -> str:
    """The begin and the end of a name that is longer."""
    if len(name) <= length:
        return name
    kept = length - len(_MORE)
    return name[: kept - kept // 2] + _MORE + name[-(kept // 2) :]
