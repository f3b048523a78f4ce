"""Which rows a look compares: the window that ends at it, and the reference that ends at the last trigger.

They never share a row: a window is whole only if all of it came after the last trigger. Where a window or reference is
so much event time, its first key is found by the detector, from a key on at which it cannot have begun yet; so all
looks together read each timestamp a few times, however many they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from marshmallow import ValidationError

from shared.config import fields as f
from shared.config.resolved import as_written
from supervisor.triggers.looks.span import Extent, Length, Span
from supervisor.triggers.policy import Answer, Batch, State, StreamStart, Trigger

SINCE_TRIGGER = "since_trigger"


class Reference(f.Sentence):
    """An extent, or `since_trigger`."""

    kind = "{rows: N} | {last: duration} | since_trigger"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if value == SINCE_TRIGGER:
            return value
        if not isinstance(value, dict):
            raise ValidationError(f"{f.quoted(value)} is no reference; write {self.kind}.")
        return Extent().load(value)

    def written(self, value: Any) -> Any:
        """The one that it is."""
        return value if value == SINCE_TRIGGER else as_written(f.Sub(Extent, ""), value)


class Ranges:
    """The rows of both, from a state that holds the last two triggers; its size does not depend on theirs."""

    def __init__(self, window: Length, reference: Length | str, start: StreamStart) -> None:
        self._window = Span(window)
        self._reference = None if isinstance(reference, str) else Span(reference)  # None: since the trigger before
        self._start = start
        self._origin = start.first_key if start.trained_key is None else 0  # the first row of trigger 0

    def begin(self) -> State:
        """Before the first followed row. A trigger: [key, event time there or None]; likewise where to search from."""
        last = None if self._start.trained_key is None else [self._start.trained_key, None]
        return {"last": last, "before": None, "reference": None, "search": {"reference": None, "current": None}}

    def whole(self, keys: npt.NDArray[np.int64], batch: Batch, state: State) -> int | None:
        """The first of these keys, which ascend, at which the window's rows all came after the last trigger."""
        last_key, last_us = state["last"] or (self._start.first_key - 1, None)
        if self._window.us is None:
            whole = keys - last_key >= self._window.rows
        else:
            reached_us = (self._start.event_time_us if last_us is None else last_us) + self._window.us
            whole = (keys > last_key) & (batch.event_time_us[keys - batch.first_key] >= reached_us)
        return int(keys[whole.argmax()]) if whole.any() else None

    def of_look(self, key: int, event_time_us: int, state: State) -> dict[str, Any]:
        """Both, for the detector's options, where there was a trigger before."""
        return {"reference": self._reference_of(state), "current": self._current_of(key, event_time_us, state)}

    def _reference_of(self, state: State) -> dict[str, Any]:
        last_key, last_us = state["last"]
        if state["reference"] is not None:
            return _exactly(*state["reference"])
        if self._reference is None:
            return _exactly(state["before"][0] + 1 if state["before"] else self._origin, last_key)
        if self._reference.rows is not None:
            return _exactly(max(last_key - self._reference.rows + 1, self._origin), last_key)
        from_key, so_far_us = state["search"]["reference"] or (self._origin, None)
        return _searched(from_key, so_far_us, (last_key, last_us), self._reference.us)

    def _current_of(self, key: int, event_time_us: int, state: State) -> dict[str, Any]:
        if self._window.rows is not None:
            return _exactly(key - self._window.rows + 1, key)
        last_key, last_us = state["last"]
        from_key, so_far_us = state["search"]["current"] or (last_key + 1, last_us)
        return _searched(from_key, so_far_us, (key, event_time_us), self._window.us)

    def answered(self, event_time_us: int, answer: Answer, state: State) -> State:
        """Keeps what the detector has found, so that it does not search there again."""
        search, reference = dict(state["search"]), state["reference"]
        if self._reference is not None and self._reference.us is not None and reference is None:
            reference, last_us = answer["reference"], state["last"][1]
            begun_us = None if last_us is None else last_us - self._reference.us
            search["reference"] = [reference[0], begun_us]
        if self._window.us is not None:
            search["current"] = [answer["current"][0], event_time_us - self._window.us]
        return {**state, "search": search, "reference": reference}

    def fired(self, trigger: Trigger, state: State) -> State:
        """The reference now ends at this trigger."""
        last = [trigger.key, trigger.timestamp_us]
        search = {**state["search"], "current": None}
        if state["last"] is not None and state["last"][0] == trigger.key:  # the one of which it was told at the start
            return {**state, "last": last}
        return {**state, "last": last, "before": state["last"], "reference": None, "search": search}


def _exactly(first_key: int, last_key: int) -> dict[str, Any]:
    return {"first_key": first_key, "last_key": last_key}


def _searched(
    from_key: int, so_far_us: int | None, end: tuple[int, int | None], within_us: int | None
) -> dict[str, Any]:
    """The rows within `within_us` of the last one, none of which lies before `from_key`."""
    last_key, event_time_us = end
    times = {"last_us": within_us, "event_time_us": event_time_us, "so_far_us": so_far_us}
    return {**_exactly(from_key, last_key), **times}
