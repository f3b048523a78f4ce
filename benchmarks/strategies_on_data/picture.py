"""The picture: score against cost, a field for each stream. Only what draws loads matplotlib."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from benchmarks.strategies_on_data.asked import ALL, BASELINES
from benchmarks.strategies_on_data.found import Mean
from benchmarks.strategies_on_data.page import LESS
from benchmarks.strategies_on_data.streams import STREAMS
from supervisor.compare.picture.looks import looks
from supervisor.compare.picture.settings import settings

_FIELD_IN = (3.4, 3.2)
_SOFT = "#555555"


def draw(found: Mapping[str, Sequence[Mean]], file: Path) -> None:
    """An SVG, the same each time."""
    drawn = io.BytesIO()
    with settings():
        width, height = _FIELD_IN
        figure = Figure(figsize=(width * len(found), height), layout="constrained")
        fields = figure.subplots(1, len(found), squeeze=False)[0]
        families = list(dict.fromkeys(one.family for means in found.values() for one in means))
        for axes, (name, means) in zip(fields, found.items(), strict=True):
            _field(axes, name, means, families)
        handles, labels = fields[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(families), frameon=False)
        told = {"Date": None, "Creator": None}
        FigureCanvasSVG(figure).print_figure(drawn, format="svg", bbox_inches="tight", metadata=told)
    file.write_bytes(drawn.getvalue())


def _field(axes: Axes, name: str, means: Sequence[Mean], families: Sequence[str]) -> None:
    """A point for each strategy and share; what all data reaches, and what counts as equal to it, are lines."""
    for family, look in zip(families, looks(len(families), 0), strict=True):
        own = [one for one in means if one.family == family]
        costs, scores = [one.cost_s for one in own], [one.score for one in own]
        axes.plot(costs, scores, look.marker, color=look.colour, markersize=4.5, markeredgewidth=0, label=family)
    for one in means:
        if one.family == BASELINES:
            axes.annotate(one.strategy, (one.cost_s, one.score), (0, 6), textcoords="offset points", ha="center")
    needed = next(one.score for one in means if one.strategy == ALL) - LESS
    axes.axhline(needed, color=_SOFT, linewidth=0.8, linestyle=(0, (4, 2)))
    axes.set_title(name, loc="left", weight="bold")
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("seconds of selecting and training")
    axes.set_ylabel(STREAMS[name].metric)
    axes.spines[["top", "right"]].set_visible(False)
