"""What a trigger policy is: batches of rows in, decisions to retrain out."""

from __future__ import annotations

from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Consecutive rows, keys first_key, first_key + 1, …; both arrays have shape (rows,)."""

    first_key: int
    timestamps_us: npt.NDArray[np.int64]
    event_time_us: npt.NDArray[np.int64]  # the running maximum


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Retrain on the rows up to `key`."""

    key: int
    timestamp_us: int  # event time at that row
    reason: str


class StreamStart(msgspec.Struct, frozen=True, kw_only=True):
    """The first followed row."""

    first_key: int
    event_time_us: int


class TriggerPolicy(Protocol):
    """Decides when to retrain. The decisions do not depend on how the rows are batched."""

    def observe(self, batch: Batch) -> list[Decision]:
        """The decisions that these rows bring, in key order."""
        ...
