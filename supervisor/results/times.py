"""Sentences on the times of a run's rows, as its log and its closing table tell them."""

from __future__ import annotations

from shared.timestamps import format_timestamp
from supervisor.core.seen import Misdated


def misdated_rows(misdated: Misdated) -> str:
    """Rows that do not advance event time, and what to do."""
    named = f"key {misdated.key} in {misdated.file}"
    what = f"1 row does not advance event time, being dated too late: {named}"
    if misdated.rows > 1:
        what = f"{misdated.rows:,} rows do not advance event time, being dated too late; the first of them, {named},"
    return (
        f"{what} is dated {format_timestamp(misdated.timestamp_us)}, later than "
        f"{format_timestamp(misdated.latest_us)} (when the file was found, plus future_skew). Mend such rows; if their "
        "times are right, raise future_skew of the dataset in config.yaml. A new run is needed for either."
    )


def never_fired(rows: int, first_us: int | None, last_us: int | None) -> str:
    """A run without a trigger, and where to look."""
    if rows <= 0:
        return "the trigger policy never fired, as no row came"
    if first_us is None or last_us is None:
        return f"the trigger policy never fired: none of {rows:,} rows has a time that it can have"
    return (
        f"the trigger policy never fired on {rows:,} rows, whose event time goes from {format_timestamp(first_us)} to "
        f"{format_timestamp(last_us)}. See `every` under trigger in pipeline.yaml, and the timestamp column under "
        "storage.datasets in config.yaml."
    )
