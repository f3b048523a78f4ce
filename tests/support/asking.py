"""A package of others, installed for all tests: policies that ask and hear of trainings, guards, and a detector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from shared.config import fields as f
from supervisor.triggers.guard import Guard, refused
from supervisor.triggers.policy import (
    Answer,
    Batch,
    Decision,
    NearMiss,
    Observation,
    Question,
    State,
    StreamStart,
    Training,
    Trigger,
    TriggerPolicy,
)
from workers.detection.detector import Detector, Sight


class Asking(TriggerPolicy):
    """Asks every so many rows how many there are, and fires at every `fires`-th answer; else it is a near miss."""

    class Schema(f.Group):
        """Its options."""

        every = f.Whole("rows between two questions", required=True)
        fires = f.Whole("at every so many answers", load_default=2, tuned=f.Tuned())
        needs_model = f.Truth("asked of the current model", load_default=False)
        twice = f.Truth("each question is asked again", load_default=False)

    asks = True

    def __init__(self, options: Mapping[str, Any], start: StreamStart) -> None:
        self._options, self._first_key = options, start.first_key

    def begin(self) -> State:
        """Answers so far, triggers told of, the model of the last answer."""
        return {"answers": 0, "fired": [], "models": [], "asked": 0}

    def observe(self, batch: Batch, state: State) -> Observation:
        """A question at each multiple."""
        every = self._options["every"]
        key = batch.first_key + every - 1 - (batch.first_key - self._first_key) % every
        if key >= batch.stop_key:
            return Observation(state=state)
        question = self._question(key, batch.time_at(key))
        return Observation(state={**state, "asked": state["asked"] + 1}, question=question, seen_key=key)

    def _question(self, key: int, timestamp_us: int) -> Question:
        return Question(
            key=key,
            timestamp_us=timestamp_us,
            detector="counting",
            options={"rows": self._options["every"]},
            needs_model=self._options["needs_model"],
        )

    def answer(self, question: Question, answer: Answer, state: State) -> Observation:
        """A decision, a near miss, or the question once more."""
        if self._options["twice"] and state["asked"] % 2:
            state = {**state, "asked": state["asked"] + 1}
            return Observation(state=state, question=self._question(question.key, question.timestamp_us))
        number = state["answers"] + 1
        models = [*state["models"], answer["model"]]
        state = {**state, "answers": number, "models": models, "asked": 0}
        if number % self._options["fires"]:
            missed = NearMiss(key=question.key, reason=f"answer {number} counted {answer['rows']} rows")
            return Observation(state=state, near_misses=(missed,))
        reason = f"answer {number} counted {answer['rows']} rows"
        return Observation(
            state=state, decision=Decision(key=question.key, timestamp_us=question.timestamp_us, reason=reason)
        )

    def fired(self, trigger: Trigger, state: State) -> State:
        """Which it was."""
        return {**state, "fired": [*state["fired"], trigger.key]}


class Hearing(TriggerPolicy):
    """Fires every so many rows, and half of these more for each training that it has heard of."""

    class Schema(f.Group):
        """Its options."""

        every = f.Whole("rows between two triggers", required=True)

    hears_trainings = True

    def __init__(self, options: Mapping[str, Any], start: StreamStart) -> None:
        self._every, self._first_key = options["every"], start.first_key

    def begin(self) -> State:
        """The last trigger, and what it has heard."""
        return {"last": self._first_key - 1, "heard": []}

    def observe(self, batch: Batch, state: State) -> Observation:
        """At the row that is far enough from the last trigger."""
        key = state["last"] + self._every + len(state["heard"]) * self._every // 2
        if key >= batch.stop_key:
            return Observation(state=state)
        decision = Decision(key=key, timestamp_us=batch.time_at(key), reason=f"{len(state['heard'])} trainings")
        return Observation(state=state, decision=decision, seen_key=key)

    def quiet(self, now_us: int, key: int, event_time_us: int, state: State) -> Observation:
        """At the time 1 it decides, at all others it notes the time."""
        if now_us != 1:
            missed = NearMiss(key=key, reason="not yet")
            return Observation(state={**state, "now_us": now_us}, near_misses=(missed,))
        decision = Decision(key=key, timestamp_us=event_time_us, reason="it is quiet")
        return Observation(state=state, decision=decision)

    def fired(self, trigger: Trigger, state: State) -> State:
        """It counts from there."""
        return {**state, "last": trigger.key}

    def trained(self, training: Training, state: State) -> State:
        """What it has heard."""
        return {**state, "heard": [*state["heard"], [training.trigger, training.samples, training.train_s]]}


class AtMost(Guard):
    """So many triggers, and no more."""

    option = f.Whole("triggers at most")

    def __init__(self, option: int, inner: TriggerPolicy, start: StreamStart) -> None:
        super().__init__(option, inner, start)
        self._most = option

    def _begin(self) -> State:
        return {"fired": 0}

    def _kept(self, observed: Observation, batch: Batch | None) -> Observation:
        if observed.decision is None or observed.state["fired"] < self._most:
            return observed
        return refused(observed, observed.decision, f"at most {self._most}")

    def fired(self, trigger: Trigger, state: State) -> State:
        """One more."""
        state = super().fired(trigger, state)
        return {**state, "fired": state["fired"] + 1}


class ByDay(Guard):
    """Says in the reason which day it was."""

    option = f.Truth("true")

    def _kept(self, observed: Observation, batch: Batch | None) -> Observation:
        if observed.decision is None:
            return observed
        reason = f"{observed.decision.reason}, by day"
        return msgspec.structs.replace(observed, decision=msgspec.structs.replace(observed.decision, reason=reason))


class Counting(Detector):
    """How many of the last rows there are, and which model it was given."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._rows: int = options["rows"]

    def answer(self, sight: Sight) -> dict[str, Any]:
        """Rows, and the model's trigger."""
        first_key = max(0, sight.key + 1 - self._rows)
        times = sight.dataset.timestamps_us(first_key, sight.key + 1)
        return {"rows": len(np.atleast_1d(times)), "model": sight.model_trigger}
