"""A stream of rows for policies that hear of trainings: triggers are fired and trained as a run does."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec
import numpy as np

from supervisor.triggers.policy import Batch, Observation, Question, State, Training, Trigger, TriggerPolicy


class Seen(msgspec.Struct):
    """What became of it."""

    fired: list[Trigger] = []
    reasons: list[str] = []  # of those that the policy decided
    near_misses: list[tuple[int, str]] = []  # key, reason
    questions: list[Question] = []
    trained: list[Training] = []
    state: State = {}


class PaidStream:
    """Trainings select `selects(rows)` of the rows since the trigger before, or of all, take `seconds` of these, and
    are told `late` triggers later. `before`: trigger 0, of a training on everything that there was.
    """

    def __init__(
        self,
        policy: TriggerPolicy,
        *,
        seconds: Callable[[int], float | None] = lambda rows: None,
        selects: Callable[[int], int] = lambda rows: rows,
        selects_all: bool = False,
        late: int = 0,
        by_hand: Collection[int] = (),
        before: Training | None = None,
        answers: Callable[[Question], dict[str, Any]] = lambda question: {},
    ) -> None:
        self._policy, self._seconds, self._selects, self._late = policy, seconds, selects, late
        self._by_hand, self._answers, self._selects_all = by_hand, answers, selects_all
        self.seen = Seen(state=policy.begin())
        self._first_number = 0 if before is None else 1
        if before is not None:
            self._keep(policy.trained(before, self.seen.state))

    def run(self, times_s: Sequence[float], cuts: Sequence[int] = (), first_key: int = 0) -> Seen:
        """All rows, in batches that begin at `cuts`."""
        us = np.maximum.accumulate(np.round(np.array(times_s) * 1e6).astype(np.int64))
        rows = Batch(first_key=first_key, timestamps_us=us, event_time_us=us)
        stops = {*(first_key + cut for cut in cuts), *(key + 1 for key in self._by_hand), rows.stop_key}
        self._last_key, self._first_key, key = first_key - 1, first_key, first_key
        for stop in sorted(stop for stop in stops if first_key < stop <= rows.stop_key):
            while key < stop:
                key = self._look(rows.part(key, stop))
            if stop - 1 in self._by_hand:
                self._fire(stop - 1, rows.time_at(stop - 1))
        return self.seen

    def _look(self, batch: Batch) -> int:
        observed = self._policy.observe(batch, self.seen.state)
        stop = batch.stop_key if observed.seen_key is None else observed.seen_key + 1
        assert batch.first_key < stop <= batch.stop_key
        self._take(observed)
        if observed.question is not None:
            self.seen.questions.append(observed.question)
            self._take(self._policy.answer(observed.question, self._answers(observed.question), self.seen.state))
        return stop

    def _take(self, observed: Observation) -> None:
        self._keep(observed.state)
        self.seen.near_misses += [(one.key, one.reason) for one in observed.near_misses]
        decision = observed.decision
        if decision is not None:
            self.seen.reasons.append(decision.reason)
            self._fire(decision.key, decision.timestamp_us)

    def _fire(self, key: int, timestamp_us: int) -> None:
        assert key > self._last_key
        rows, self._last_key = key - (self._first_key - 1 if self._selects_all else self._last_key), key
        trigger = Trigger(number=self._first_number + len(self.seen.fired), key=key, timestamp_us=timestamp_us)
        self.seen.fired.append(trigger)
        self._keep(self._policy.fired(trigger, self.seen.state))
        samples = self._selects(rows)
        self.seen.trained.append(Training(trigger=trigger.number, samples=samples, train_s=self._seconds(samples)))
        over = len(self.seen.fired) - 1 - self._late
        if over >= 0:
            self._keep(self._policy.trained(self.seen.trained[over], self.seen.state))

    def _keep(self, state: State) -> None:
        self.seen.state = json.loads(json.dumps(state))
