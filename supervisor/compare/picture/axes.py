"""The two axes: event time in UTC, and the scores; and where a legend stands beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, ScalarFormatter, SymmetricalLogLocator

from supervisor.compare.picture import words
from supervisor.compare.picture.scale import Scale, scale_of

BESIDE: Final[dict[str, Any]] = {  # of a legend
    "loc": "upper left",
    "bbox_to_anchor": (1.015, 1.0),
    "borderaxespad": 0,
    "frameon": False,
    "alignment": "left",
    "handlelength": 2.8,
}
_MINUTE_DAYS = 1 / 1440
_MARGIN = 0.015  # of the stretch, to either side
_FIRST_DAY, _LAST_DAY = -719_162.0, 2_932_896.0  # the years 1 to 9999: matplotlib knows no others


def time_axis(axes: Axes, first: float, last: float) -> None:
    """Have the axis hold the stretch; days since 1970-01-01."""
    beside = (last - first) * _MARGIN or _MINUTE_DAYS
    axes.set_xlim(max(first - beside, _FIRST_DAY), min(last + beside, _LAST_DAY))
    axes.xaxis_date(UTC)
    locator = AutoDateLocator(tz=UTC, minticks=4, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))


def no_axes(axes: Axes, told: str) -> None:
    """A sentence where nothing is to be drawn."""
    axes.text(0.5, 0.5, told, transform=axes.transAxes, horizontalalignment="center")
    axes.set_xticks([])
    axes.set_yticks([])


def score_axis(axes: Axes, metric: str, scores: Sequence[float]) -> None:
    """As the scores need it, with plain numbers, and named."""
    scale = scale_of(scores)
    if scale.kind == "linear":
        axes.yaxis.set_major_formatter(ScalarFormatter(useOffset=False, useMathText=False))
    else:
        _logarithmic(axes, scale, max(scores))
    axes.set_ylabel(words.score_axis(metric, scale.kind))
    axes.grid(axis="y", color="#E6E6E6", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)


def _logarithmic(axes: Axes, scale: Scale, largest: float) -> None:
    if scale.kind == "log":
        axes.set_yscale("log", nonpositive="clip")
        axes.set_ylim(scale.lowest / 1.2, largest * 1.2)
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    else:
        axes.set_yscale("symlog", linthresh=scale.linear_to)
        axes.yaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=scale.linear_to))
    axes.yaxis.set_major_formatter(FuncFormatter(_plain))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _plain(value: float, _: int | None) -> str:
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")
