"""The figure: mean score by the number of trainings, and a name at each point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from supervisor.backtest.report.picture import words
from supervisor.backtest.report.picture.axes import trainings_axis
from supervisor.backtest.report.picture.looks import (
    COLOURS,
    COST,
    FRONTIER,
    GUESS,
    HEIGHT_IN,
    MARKERS,
    SOFT,
    WIDTH_IN,
)
from supervisor.backtest.report.picture.names import curve, write_names
from supervisor.backtest.report.picture.points import Drawn, EqualCost, drawn_of, equal_costs
from supervisor.compare.picture.axes import BESIDE, no_axes, score_axis

_DASHES = ((0, (1, 1.5)), (0, (4, 1.5, 1, 1.5)))  # of lines of equal cost


def figure_of(content: Mapping[str, Any]) -> Figure:
    """All of it, by the settings that are in force."""
    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN))
    axes = figure.add_axes((0, 0, 1, 1))
    drawn, unnamed = drawn_of(content), 0
    score_axis(axes, content["metric"], drawn.means)
    if drawn.points:
        trainings_axis(axes, min(*(one.trainings for one in drawn.points), 1), drawn.most)
        costs = equal_costs(content)
        _draw(axes, drawn, costs)
        unnamed = write_names(axes, drawn, costs)
        axes.legend(**BESIDE)
    else:
        no_axes(axes, "no row has a label")
    _tell(axes, content, words.note(drawn.beyond, unnamed))
    return figure


def _draw(axes: Axes, drawn: Drawn, costs: Sequence[EqualCost]) -> None:
    """Lines below, points above them; the limits of both axes hold from here on."""
    for kind in MARKERS:
        points = [one for one in drawn.points if one.kind == kind]
        if points:
            x, y = [one.trainings for one in points], [one.mean for one in points]
            look: dict[str, Any] = {"color": COLOURS[kind], "zorder": 4, "clip_on": False, **MARKERS[kind]}
            axes.plot(x, y, linestyle="", label=words.KINDS[kind], **look)
    if drawn.steps:
        trainings, means = zip(*drawn.steps, (axes.get_xlim()[1], drawn.steps[-1][1]), strict=True)
        axes.step(trainings, means, where="post", color=FRONTIER, linewidth=1.4, label=words.FRONTIER, zorder=3)
    for level in drawn.levels:
        axes.axhline(level.mean, color=GUESS, linewidth=0.9, linestyle=(0, (5, 3)), zorder=2)
    axes.set_xlim(axes.get_xlim())
    axes.set_ylim(axes.get_ylim())
    for one, dashes in zip(costs, _DASHES, strict=False):
        label = words.equal_cost(one)
        axes.plot(*curve(axes, one), color=COST, linewidth=0.9, linestyle=dashes, label=label, zorder=1)


def _tell(axes: Axes, content: Mapping[str, Any], note: str) -> None:
    """What is shown, above the axes; what is to be known of it, below."""
    _beside(axes, words.title(content), 1, 24, size=12, weight="bold")
    _beside(axes, words.subtitle(content), 1, 9, size=9, color=SOFT)
    if note:
        _beside(axes, note, 0, -40, size=8, color=SOFT, verticalalignment="top")


def _beside(axes: Axes, text: str, height: float, points: float, **look: Any) -> None:
    """Text at the left end of the axes, so many points above that height of them."""
    axes.annotate(text, (0, height), (0, points), xycoords="axes fraction", textcoords="offset points", **look)
