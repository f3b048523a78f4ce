"""How long the next training will take, from those before it: how many rows, and how many seconds for them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from shared.config import fields as f
from supervisor.triggers.policy import State, StreamStart, Training, Trigger

_TRAININGS = 20  # the newest so many are known: machines and models change
_MARGIN = 1.25  # how much larger than lately the share of rows may become that a strategy selects


class Forecasting(f.Group):
    """The options of whoever forecasts."""

    seconds_per_sample = f.PositiveNumber(
        "seconds that all workers together train for each selected row; without it they are measured, which "
        "experiment mode must be told to do",
        load_default=None,
    )
    measured = f.Truth(
        "forecast from what the last 20 trainings took, also where seconds_per_sample is given, which then counts "
        "until the first one is over; experiment mode is not repeatable with it",
        load_default=False,
    )


class Forecast:
    """A pure function of its options and its state, which hears of triggers and trainings.

    The strategy is taken to select a share of the rows that have come since the last trigger, or of all where
    `start.selects_all`; the share is that of the newest training, all before there is one. Where it has a limit, no
    training is larger, and one as large as that tells nothing of a share: all rows would be selected, up to the limit.
    """

    def __init__(self, options: Mapping[str, Any], start: StreamStart) -> None:
        """`options`: as `Forecasting` loads them."""
        self._per_sample_s: float | None = options["seconds_per_sample"]
        self._measures = options["measured"] or self._per_sample_s is None
        self._start = start
        self._before_key = start.first_key - 1 if start.trained_key is None else -1  # of the first row of all

    def begin(self) -> State:
        """`key`: of the newest trigger; `open`: [number, rows] of those that may train; `over`: [rows, selected, s]."""
        trained_key = self._start.trained_key
        return {"key": trained_key, "open": [] if trained_key is None else [[0, trained_key + 1]], "over": []}

    @staticmethod
    def begun(state: State) -> bool:
        """Whether something was trained, or will be as far as one knows."""
        return bool(state["open"] or state["over"])

    def new_rows(self, key: int, state: State) -> int:
        """Rows that have come since the newest trigger, up to `key`."""
        return key - (self._before_key if state["key"] is None else int(state["key"]))

    def rows(self, key: int, state: State) -> int:
        """About how many would be selected by a trigger at `key`."""
        return self._limited(round(self._grown(key, state) * self._share(state["over"][-1:])))

    def rows_at_most(self, key: int, state: State) -> int:
        """Likewise, and hardly ever fewer than will be: for who must not be wrong."""
        share = self._share(state["over"])
        return self._limited(math.ceil(self._grown(key, state) * min(share * _MARGIN, max(share, 1.0))))

    def seconds(self, rows: int, state: State) -> float | None:
        """What all workers together would train on so many selected rows; None: nothing is known of it yet."""
        took = [(one[1], one[2]) for one in state["over"] if one[2] is not None]
        if self._measures and took:
            return _line_at(rows, took)
        return None if self._per_sample_s is None else rows * self._per_sample_s

    def fired(self, trigger: Trigger, state: State) -> State:
        """Its rows wait for their training."""
        waits = [one for one in state["open"] if one[0] != trigger.number]
        rows = self._grown(trigger.key, state)
        return {**state, "key": trigger.key, "open": [*waits, [trigger.number, rows]]}

    def trained(self, training: Training, state: State) -> State:
        """What came of a trigger. One that selected nothing, as the next takes its rows, tells nothing of a share."""
        rows = next((one[1] for one in state["open"] if one[0] == training.trigger), 0)
        left = [one for one in state["open"] if one[0] != training.trigger]
        if training.samples == 0 and left and not self._start.selects_all:
            left = [[left[0][0], left[0][1] + rows], *left[1:]]
        if training.samples == 0 or rows == 0:
            return {**state, "open": left}
        train_s = training.train_s if self._measures else None  # a replay's state is the same each time
        over = [*state["over"], [rows, training.samples, train_s]]
        return {**state, "open": left, "over": over[-_TRAININGS:]}

    def spent_s(self, training: Training) -> float | None:
        """What a training that is over took; None: it is not known, as it failed and was not measured."""
        if training.samples == 0:
            return 0.0
        if self._measures and training.train_s is not None:
            return training.train_s
        return None if self._per_sample_s is None else training.samples * self._per_sample_s

    def _grown(self, key: int, state: State) -> int:
        """The rows of which a strategy selects a share."""
        return key - self._before_key if self._start.selects_all else self.new_rows(key, state)

    def _share(self, over: Sequence[Sequence[Any]]) -> float:
        """The largest of these trainings' shares of the rows that there were; all, if there is none."""
        limit = self._start.selects_at_most
        return max((1.0 if selected == limit else selected / rows for rows, selected, _ in over), default=1.0)

    def _limited(self, rows: int) -> int:
        """No more than the strategy ever selects."""
        limit = self._start.selects_at_most
        return rows if limit is None else min(rows, limit)


def _line_at(rows: int, took: Sequence[tuple[int, float]]) -> float:
    """Seconds by the least squares line through (rows, seconds), whose start and slope are not below zero."""
    mean_rows = sum(x for x, _ in took) / len(took)
    mean_s = sum(y for _, y in took) / len(took)
    spread = sum((x - mean_rows) ** 2 for x, _ in took)
    slope = sum((x - mean_rows) * (y - mean_s) for x, y in took) / spread if spread else math.inf
    if slope < 0:
        return mean_s
    if mean_s - slope * mean_rows < 0:  # through the origin, also where all trainings had equally many rows
        return rows * sum(x * y for x, y in took) / sum(x * x for x, _ in took)
    return mean_s + slope * (rows - mean_rows)
