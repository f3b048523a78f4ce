"""What a trigger policy is: batches of rows in, decisions to retrain out, or questions that a worker must answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec
import numpy as np
import numpy.typing as npt

from shared.config.fields import Group


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Consecutive rows, keys first_key, first_key + 1, …; both arrays have shape (rows,)."""

    first_key: int
    timestamps_us: npt.NDArray[np.int64]  # as the rows have them, wrong ones too
    event_time_us: npt.NDArray[np.int64]  # the running maximum of those that can be right


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Retrain on the rows up to `key`."""

    key: int
    timestamp_us: int  # event time at that row
    reason: str


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What keys and timestamps alone do not tell: a statistic over ranges of rows. Observing stops at `key`."""

    key: int
    statistic: str
    ranges: tuple[tuple[int, int], ...]  # first and last key of each
    options: dict[str, Any]


class StreamStart(msgspec.Struct, frozen=True, kw_only=True):
    """The first followed row."""

    first_key: int
    event_time_us: int


class TriggerPolicy:
    """The base of all. What a policy decides does not depend on how the rows are batched."""

    Schema: ClassVar[type[Group]] = Group  # of the options, beside `policy:`

    def __init__(self, options: Mapping[str, Any], start: StreamStart) -> None:
        """`options`: as the schema loads them."""

    def observe(self, batch: Batch) -> Sequence[Decision | Question]:
        """The decisions that these rows bring, in key order; or a question, at which observing stops."""
        raise NotImplementedError

    def waits_for(self) -> str:
        """How far it is to the next trigger, after the rows that it has seen, for people; empty: it cannot say."""
        return ""

    def answer(self, question: Question, result: Any) -> Sequence[Decision | Question]:
        """What follows from a worker's answer."""
        raise NotImplementedError
