"""A stream of rows for policies that hear of trainings: triggers are fired and trained as a run does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec
import numpy as np
from streams import Player, rows

from supervisor.triggers.policy import Question, State, Training, Trigger, TriggerPolicy


class Seen(msgspec.Struct):
    """What became of it."""

    fired: list[Trigger] = []
    reasons: list[str] = []  # of those that the policy decided
    near_misses: list[tuple[int, str]] = []  # key, reason
    questions: list[Question] = []
    trained: list[Training] = []
    state: State = {}


class PaidStream(Player):
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
        super().__init__(policy, answers=answers, first_number=0 if before is None else 1)
        self._seconds, self._selects, self._late = seconds, selects, late
        self._by_hand, self._selects_all = by_hand, selects_all
        self._triggers, self._trained = list[Trigger](), list[Training]()
        if before is not None:
            self.keep(policy.trained(before, self.played.state))

    def run(self, times_s: Sequence[float], cuts: Sequence[int] = (), first_key: int = 0) -> Seen:
        """All rows, in batches that begin at `cuts`."""
        us = np.maximum.accumulate(np.round(np.array(times_s) * 1e6).astype(np.int64))
        batch, self._first_key = rows(us, first_key), first_key
        stops = {*(first_key + cut for cut in cuts), *(key + 1 for key in self._by_hand), batch.stop_key}
        start = first_key
        for stop in sorted(stop for stop in stops if first_key < stop <= batch.stop_key):
            self.give(batch.part(start, stop))
            if stop - 1 in self._by_hand:
                self.fire(stop - 1, batch.time_at(stop - 1))
            start = stop
        return Seen(
            fired=self._triggers,
            reasons=[one.reason for one in self.played.fired],
            near_misses=[(one.key, one.reason) for one in self.played.near_misses],
            questions=self.played.questions,
            trained=self._trained,
            state=self.played.state,
        )

    def after(self, trigger: Trigger) -> None:
        """Its training, and that a training is over."""
        before = self._triggers[-1].key if self._triggers and not self._selects_all else self._first_key - 1
        self._triggers.append(trigger)
        samples = self._selects(trigger.key - before)
        self._trained.append(Training(trigger=trigger.number, samples=samples, train_s=self._seconds(samples)))
        over = len(self._triggers) - 1 - self._late
        if over >= 0:
            self.keep(self.policy.trained(self._trained[over], self.played.state))
