"""The axis of the trainings: linear for a few, logarithmic for many."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

_FEW = 16
_STEPS = (1, 2, 5)


def trainings_axis(axes: Axes, least: int, most: int) -> None:
    """Have the axis hold these numbers of trainings."""
    axes.set_xlabel("trainings")
    if most <= _FEW:
        axes.set_xlim(least - 0.5, most + 0.8)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=most - least + 2))
        return
    if least < 1:
        axes.set_xscale("symlog", linthresh=1, linscale=0.4)
        axes.set_xlim(-0.25, most * 1.3)
    else:
        axes.set_xscale("log")
        axes.set_xlim(least / 1.25, most * 1.3)
    ticks = [step * 10**power for power in range(len(str(most))) for step in _STEPS]
    axes.xaxis.set_major_locator(FixedLocator([0, *ticks] if least < 1 else ticks))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
