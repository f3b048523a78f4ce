"""The picture: costs against the tuned fixed period, a field for each stream. Only what draws loads matplotlib."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from benchmarks.policies.found import Found
from benchmarks.policies.rivals.all import PERIOD, RIVALS
from benchmarks.policies.why import CLOCKS
from supervisor.compare.picture.looks import looks
from supervisor.compare.picture.settings import settings

_FIELD_IN = (2.7, 3.4)
_SOFT = "#555555"
_MOST = 3.0  # times the period's cost; what costs more stands at the edge
_SPREAD = 0.3  # of the place of a price


def draw(found: Sequence[Found], file: Path) -> None:
    """An SVG, the same each time."""
    drawn = io.BytesIO()
    with settings():
        width, height = _FIELD_IN
        figure = Figure(figsize=(width * len(found), height), layout="constrained")
        fields = figure.subplots(1, len(found), squeeze=False)[0]
        for axes, one in zip(fields, found, strict=True):
            _field(axes, one)
        fields[0].set_ylabel("cost, as a multiple of the tuned fixed period's")
        handles, labels = fields[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
        told = {"Date": None, "Creator": None}
        FigureCanvasSVG(figure).print_figure(drawn, format="svg", bbox_inches="tight", metadata=told)
    file.write_bytes(drawn.getvalue())


def _field(axes: Axes, found: Found) -> None:
    """At each price a point for everyone; the tuned fixed period is the line at 1."""
    groups = _groups(found)
    for place, ((label, points), look) in enumerate(zip(groups.items(), looks(len(groups), 0), strict=True)):
        side = _SPREAD * (2 * place / (len(groups) - 1) - 1)
        x, y = [price + side for price, _ in points], [min(times, _MOST) for _, times in points]
        axes.plot(x, y, look.marker, color=look.colour, markersize=4.5, markeredgewidth=0, label=label)
    axes.axhline(1.0, color=_SOFT, linewidth=0.8, linestyle=(0, (4, 2)))
    axes.set_title(found.stream, loc="left", weight="bold")
    axes.set_xticks(range(len(found.prices)), [f"{100 * one.share:g} %" for one in found.prices])
    axes.set_xlabel("price of a training")
    axes.spines[["top", "right"]].set_visible(False)


def _groups(found: Found) -> dict[str, list[tuple[int, float]]]:
    """Label → (place of the price, cost as a multiple of the period's); in the same order for each stream."""
    labels = ("policies that look", "policies by the clock", *(name for name in RIVALS if name != PERIOD))
    groups: dict[str, list[tuple[int, float]]] = {label: [] for label in labels}
    for place, priced in enumerate(found.prices):
        period = priced.line(PERIOD).cost
        for line in (one for one in priced.lines if one.kind in ("policy", "rival", "best")):
            label = line.name
            if line.kind == "policy":
                label = "policies by the clock" if line.name in CLOCKS else "policies that look"
            if line.name != PERIOD:
                groups.setdefault(label, []).append((place, line.cost / period))
    return groups
