"""The figure: a line for each run over event time, its triggers marked, and a legend beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from supervisor.compare.picture import words
from supervisor.compare.picture.axes import BESIDE, no_axes, score_axis, time_axis
from supervisor.compare.picture.curves import Curve, curve, hole_days, levels, merged, stretch_days, thinned
from supervisor.compare.picture.looks import Look, are_many, looks

_WIDTH_IN, _HEIGHT_IN = 7.0, 4.0  # of the axes; the legend stands beside them
_LEGEND_LINE_IN = 0.185
_NARROW, _NARROW_OF_MANY = 0.01, 0.025  # of the stretch: no level of a line is narrower
_MOST_MARKS = 50  # on a line
_SOFT = "#555555"


def figure_of(content: Mapping[str, Any]) -> Figure:
    """All of it, by the settings that are in force."""
    listed = words.listed(len(content["runs"]), _scored(content))
    figure = Figure(figsize=(_WIDTH_IN, max(_HEIGHT_IN, _LEGEND_LINE_IN * (len(listed) + 2))))
    axes = figure.add_axes((0, 0, 1, 1))
    lines, together = _draw_runs(axes, content)
    _tell(axes, content, together)
    _legend(axes, content, listed, lines)
    return figure


def _draw_runs(axes: Axes, content: Mapping[str, Any]) -> tuple[list[Line2D], bool]:
    """Axes and lines, best first, and whether windows are drawn together."""
    metric, runs = content["sorted_by"], content["runs"]
    of_windows = [levels(run["windows"], metric) for run in runs]
    stretch = stretch_days(of_windows)
    first, last = stretch or (0.0, 0.0)
    scored = _scored(content)
    narrow = (last - first) * (_NARROW_OF_MANY if are_many(scored) else _NARROW)
    drawn = [merged(run, narrow) for run in of_windows]
    score_axis(axes, metric, [level.score for run in drawn for level in run])
    if stretch is None:
        no_axes(axes, words.nothing_to_draw(metric))
    else:
        time_axis(axes, first, last)
    hole = hole_days(last - first, narrow, content["rows"])
    curves = [curve(run, hole) for run in drawn]
    lines = [
        _line(axes, one, look.beneath(curves[:place].count(one)), place)
        for place, (one, look) in enumerate(zip(curves, looks(scored, len(runs) - scored), strict=True))
    ]
    return lines, any(level.windows > 1 for run in drawn for level in run)


def _scored(content: Mapping[str, Any]) -> int:
    """How many runs have a score, and so a line."""
    return sum(run["composite"][content["sorted_by"]] is not None for run in content["runs"])


def _line(axes: Axes, drawn: Curve, look: Look, place: int) -> Line2D:
    """Of the run at this place. The better is drawn over the worse, and what stands out over all."""
    (line,) = axes.plot(
        drawn.days,
        drawn.scores,
        color=look.colour,
        linewidth=look.width,
        linestyle=look.dashes,
        solid_capstyle="butt",
        marker=look.marker,
        markevery=thinned(drawn.begins, _MOST_MARKS),
        markersize=look.mark,
        markeredgewidth=0,
        zorder=(2 if look.muted else 3) - place / 1_000_000,
    )
    return line


def _tell(axes: Axes, content: Mapping[str, Any], together: bool) -> None:
    """What is shown, above the axes; what is to be known of the lines, below."""
    note = words.note(are_many(_scored(content)), together)
    _beside(axes, words.title(content), 1, 24, size=12, weight="bold")
    _beside(axes, words.subtitle(content), 1, 9, size=9, color=_SOFT)
    axes.set_xlabel("event time (UTC)")
    _beside(axes, note, 0, -40, size=8, color=_SOFT, verticalalignment="top")


def _beside(axes: Axes, text: str, height: float, points: float, **look: Any) -> None:
    """Text at the left end of the axes, so many points above that height of them."""
    axes.annotate(text, (0, height), (0, points), xycoords="axes fraction", textcoords="offset points", **look)


def _legend(axes: Axes, content: Mapping[str, Any], places: Sequence[int | None], lines: Sequence[Line2D]) -> None:
    """Beside the axes, the runs at these places, best first; None stands for those that are left out."""
    axes.legend(
        [Line2D([], [], linestyle="") if place is None else lines[place] for place in places],
        words.legend_lines(content, places),
        title=words.legend_title(content["sorted_by"], len(lines)),
        **BESIDE,
    )
