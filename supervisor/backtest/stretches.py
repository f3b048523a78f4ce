"""Which rows of a recorded stream are judged, and up to which one parameters are fitted."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from shared.errors import ConfigurationError, NotReadyError
from shared.timestamps import format_timestamp
from supervisor.backtest.grid.grid import Grid
from supervisor.backtest.judging.course import Stretch
from supervisor.backtest.replaying.recorded_stream import RecordedStream

FITTED_SHARE = 0.4  # of the rows, where nobody says up to when


def whole_stretch(grid: Grid, stream: RecordedStream) -> Stretch:
    """All rows behind the first model's. Raises NotReadyError if there is none."""
    last_key = stream.batches[-1].stop_key - 1
    if grid.first_key > last_key:
        raise NotReadyError(
            "no row follows the first model of the grid, so there is nothing to judge; take a closer grid."
        )
    return Stretch(grid.first_key, last_key)


def parted(whole: Stretch, grid: Grid, stream: RecordedStream, until_us: int | None) -> tuple[Stretch, Stretch]:
    """The rows on which parameters are fitted, and those on which they are judged.

    `until_us`: the last event time of the first; None: at the last grid point with 40 % of the rows before it, or
    fewer. Raises ConfigurationError where one of them is empty.
    """
    if until_us is not None:
        last_key, told = _last_key(stream, until_us), f"--tune-until {format_timestamp(until_us)}"
    else:
        most = whole.first_key + int((whole.last_key - whole.first_key + 1) * FITTED_SHARE)
        keys = [grid.models[number].key for number in grid.numbers(0)]
        last_key, told = max((key for key in keys if key < most), default=-1), "--tune"
    if not whole.first_key <= last_key < whole.last_key:
        side = "to judge on" if last_key >= whole.last_key else "to fit on, behind the first model of the grid"
        moments = [format_timestamp(time_at(stream, key)) for key in whole]
        raise ConfigurationError(
            f"{told}: leaves no row {side}; take a closer grid, or a time between {moments[0]} and {moments[1]}."
        )
    return Stretch(whole.first_key, last_key), Stretch(last_key + 1, whole.last_key)


def time_at(stream: RecordedStream, key: int) -> int:
    """Event time at a followed row, µs."""
    return stream.batches[bisect_right(stream.batches, key, key=lambda one: one.stop_key)].time_at(key)


def _last_key(stream: RecordedStream, until_us: int) -> int:
    """The last row with an event time up to this; the one before the first, where there is none."""
    for batch in stream.batches:
        within = int(np.searchsorted(batch.event_time_us, until_us, side="right"))
        if within < len(batch.event_time_us):
            return batch.first_key + within - 1
    return stream.batches[-1].stop_key - 1
