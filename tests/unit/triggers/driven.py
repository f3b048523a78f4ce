"""A policy that is driven over rows as a run drives it: batches in, its questions answered, its triggers told."""

from __future__ import annotations

import json

import msgspec
import numpy as np

from supervisor.triggers.policy import Batch, StreamStart, Trigger

DAY_US = 86_400_000_000


class Driven:
    """What came of it: `triggers`, `misses` and `questions`, in order. States pass through JSON on the way."""

    def __init__(self, policy, *, answer=None, state=None):
        self.policy, self.state = policy, policy.begin() if state is None else state
        self._answer = answer
        self.triggers, self.misses, self.questions = [], [], []
        self.refuses = lambda decision: False  # a guard around the policy

    def over(self, times_us, batch_rows=1_000, first_key=0, before_us=None):
        """Rows of these event times, in batches of so many."""
        for start in range(0, len(times_us), batch_rows):
            self._batch(self.rows(times_us, start, start + batch_rows, first_key, before_us))
        return self

    @staticmethod
    def rows(times_us, start, stop, first_key=0, before_us=None):
        """Those of these rows in one batch."""
        times_us = np.asarray(times_us, np.int64)
        some = times_us[start:stop]
        before_us = int(times_us[start - 1]) if start else before_us
        return Batch(first_key=first_key + start, timestamps_us=some, event_time_us=some, before_us=before_us)

    def _batch(self, batch):
        while True:
            observed = self.policy.observe(batch, self.state)
            self._take(observed)
            if observed.question is not None:
                self.questions.append(observed.question)
                assert observed.question.key == observed.seen_key
                answer = json.loads(json.dumps(self._answer(observed.question)))
                self._take(self.policy.answer(observed.question, answer, self.state))
            if observed.seen_key is None or observed.seen_key + 1 == batch.stop_key:
                return
            batch = batch.part(observed.seen_key + 1, batch.stop_key)

    def _take(self, observed):
        self.state = json.loads(json.dumps(observed.state))
        self.misses += observed.near_misses
        if observed.decision is not None and not self.refuses(observed.decision):
            self.fire(observed.decision.key, observed.decision.timestamp_us, observed.decision.reason)

    def fire(self, key, timestamp_us, reason="by hand"):
        """A trigger, whoever has decided it."""
        self.triggers.append((key, reason))
        trigger = Trigger(number=len(self.triggers) - 1, key=key, timestamp_us=timestamp_us)
        self.state = json.loads(json.dumps(self.policy.fired(trigger, self.state)))

    @property
    def keys(self):
        """Of the triggers."""
        return [key for key, _ in self.triggers]


def made(kind, options, *, first_key=0, event_time_us=0, trained_key=None):
    """A policy of these options, as a file has them."""
    start = StreamStart(first_key=first_key, event_time_us=event_time_us, trained_key=trained_key)
    loaded = kind.Schema().load(options)
    assert msgspec.json.decode(msgspec.json.encode(loaded)) == loaded  # it goes through messages and journals
    return kind(loaded, start)
