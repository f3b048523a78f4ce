"""The streams that labels come late on: prices of electricity, where that file is, and weather that is made up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.processes import PROJECT

ELEC2 = PROJECT.parent / "shared/data/elec2.parquet"
_ELEC2_FEATURES = ("day", "period", "nswdemand", "vicprice", "vicdemand", "transfer")

_HOUR_US = 3_600_000_000
_HOURS = 3 * 365 * 24
_SPIN_UP_HOURS = 2_000  # until what remembers its past has forgotten how it began
_YEAR_HOURS = 365.25 * 24
_COLDEST_HOUR = 20 * 24  # of a year
_WARMEST_HOUR = 15  # of a day
_FROM = np.datetime64("2021-01-01", "us")

Numbers = npt.NDArray[np.float64]


class Stream(NamedTuple):
    """Rows with `timestamp` and `label`, and what of a dataset's configuration says how they become features."""

    rows: pa.Table
    config: Mapping[str, list[str]]


def elec2() -> Stream | None:
    """Half-hours of New South Wales, 1996 to 1998: does the price go up? None where the file is not there.

    The price itself is left out, as in most of what is written on these data.
    """
    if not ELEC2.exists():
        return None
    rows = pq.read_table(ELEC2).select(["timestamp", *_ELEC2_FEATURES, "label"])
    return Stream(rows.replace_schema_metadata(None), {"features": list(_ELEC2_FEATURES)})


def weather(seed: int = 0) -> Stream:
    """Hours of three years: will it rain? What brings rain turns with the seasons, and a gauge ages.

    In winter rain comes with mild air and with wind from the west; in summer with cooler air, with wind from the east,
    and in the afternoons. Humidity reads a little higher each month. Rain lasts for hours, so that the hour before is
    a good guess, and the same hour of the day before a poor one.
    """
    random = np.random.default_rng(seed)
    hours = np.arange(_HOURS)
    winter = np.cos(2 * np.pi * (hours - _COLDEST_HOUR) / _YEAR_HOURS)  # 1 on the coldest day, −1 on the warmest
    warmth = np.cos(2 * np.pi * (hours - _WARMEST_HOUR) / 24)  # 1 when a day is warmest
    front, west, pressure, humidity, chance = (_remembering(random, hours_kept) for hours_kept in (60, 36, 72, 24, 6))
    rain = (
        0.9 * humidity
        - 0.9 * pressure
        + winter * (1.2 * front + 1.2 * west)
        + (1 - winter) / 2 * 0.6 * warmth
        + 0.8 * chance
        - 0.5
    )
    columns = {
        "temperature": 10 - 9 * winter + 4 * warmth + 4 * front + 0.5 * hours / _YEAR_HOURS,
        "humidity": 70 + 12 * humidity - 6 * warmth + 5 * hours / _YEAR_HOURS,
        "pressure": 1013 + 9 * pressure,
        "wind_from_west": 12 * west,
    }
    stamps = pa.array(_FROM + hours * np.timedelta64(_HOUR_US, "us"), pa.timestamp("us", tz="UTC"))
    table = {"timestamp": stamps, **columns, "label": (rain > 0).astype(np.int64)}
    return Stream(pa.table(table), {"time_features": ["hour"]})


def _remembering(random: np.random.Generator, hours_kept: int) -> Numbers:
    """Hourly values of deviation 1 around 0, each close to the one before: half of it is gone after `hours_kept`."""
    kept = 0.5 ** (1 / hours_kept)
    shocks = random.normal(scale=np.sqrt(1 - kept**2), size=_SPIN_UP_HOURS + _HOURS)
    values = np.empty_like(shocks)
    value = 0.0
    for hour, shock in enumerate(shocks):
        value = kept * value + shock
        values[hour] = value
    return values[_SPIN_UP_HOURS:]


STREAMS: Mapping[str, Callable[[], Stream | None]] = {"elec2": elec2, "weather": weather}
