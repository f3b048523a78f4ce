"""Trigger when the current model is no longer good enough on what arrives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from shared.words import counted
from supervisor.triggers.looks.looks import Looks
from supervisor.triggers.looks.outcome import decided, missed
from supervisor.triggers.policy import (
    Answer,
    Batch,
    Observation,
    Question,
    State,
    StreamStart,
    Training,
    Trigger,
    TriggerPolicy,
)
from supervisor.triggers.scores.options import PerformanceOptions, objections
from supervisor.triggers.scores.score_rule import Expected, Score, ScoreRule

_TRIGGERS_KEPT = 64  # of those whose model may be the current one; more only if so many in a row made none


class Performance(TriggerPolicy):
    """Looks every so often at the current model's score on the rows that came since the newest trigger.

    Of these only rows whose labels are known by then count. Without a model it fires at its first look, and then at
    each at which such a row is known. While the newest trigger's model is being made it does not fire: the one that is
    judged is about to be replaced.
    """

    asks = True
    hears_trainings = True

    Schema = PerformanceOptions
    detector = "performance"  # who answers

    def __init__(self, options: Mapping[str, Any], start: StreamStart) -> None:
        self._metric, self._window = options["metric"], options["window"]
        self._looks, self._rule, self._start = Looks(options["every"], start), ScoreRule(options["decide"]), start

    @classmethod
    def objections(cls, options: Mapping[str, Any], pipeline: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """What the rest of pipeline.yaml does not allow."""
        return objections(options, pipeline)

    def begin(self) -> State:
        """No trigger yet, but for that of all rows before the stream."""
        trained_key = self._start.trained_key
        return {
            "trainings": [] if trained_key is None else [[0, 0, trained_key]],
            "time_us": self._start.event_time_us,  # at the newest trigger
            "settled": -1,
            "looked": {"key": trained_key, "known": 0},  # last, and at so many known rows behind the newest trigger
            "expected": None,
            "memory": self._rule.begin(),
        }

    def observe(self, batch: Batch, state: State) -> Observation:
        """A question at each look; a decision where no trigger can have made a model."""
        looks = self._looks.among(batch)
        if not len(looks):
            return Observation(state=state)
        key = int(looks[0])
        timestamp_us = batch.time_at(key)
        if not state["trainings"]:
            reason = f"there is no model yet, and {counted(key + 1 - self._start.first_key, 'row')}"
            return decided(key, timestamp_us, reason, state)
        question = Question(
            key=key,
            timestamp_us=timestamp_us,
            detector=self.detector,
            options=self._asked(key, state),
            needs_model=True,
        )
        return Observation(state=state, question=question, seen_key=key)

    def _asked(self, key: int, state: State) -> dict[str, Any]:
        """What the detector is to look at. What is expected of a model is asked until it is known."""
        _, _, last_key = state["trainings"][-1]
        window = {"since": state["looked"]} if self._window is None else self._window
        return {
            "metric": self._metric,
            "current": [last_key + 1, key],
            "since_us": state["time_us"],
            "window": window,
            "trainings": state["trainings"] if self._rule.compares else [],
            "expected_of": None if state["expected"] is None else state["expected"]["model"],
        }

    def answer(self, question: Question, answer: Answer, state: State) -> Observation:
        """What the rule makes of the score."""
        told = msgspec.convert(answer, Score)
        newest, _, last_key = state["trainings"][-1]
        settled = state["settled"] >= newest
        if question.options["current"][0] <= last_key:  # somebody else's trigger
            return _outcome(question, state, fires=False, reason=f"trigger {newest} came before the answer")
        if told.model is None:
            return _outcome(question, state, fires=settled and told.known > 0, reason=_without(told, newest, settled))
        state = _with_model(told, state)
        expected = None if state["expected"] is None else Expected(**state["expected"])
        if not self._rule.counts or (settled and self._rule.may_count(expected)):  # else rows are to be counted yet
            state = {**state, "looked": {"key": question.key, "known": told.known}}
        verdict, memory = self._rule.judged(told, expected, state["memory"])
        if settled:
            return _outcome(question, {**state, "memory": memory}, fires=verdict.fires, reason=verdict.reason)
        # By a model that is about to be replaced: later scores are not to be compared with its.
        reason = f"{verdict.reason}; model {told.model}, as trigger {newest} is being trained on"
        return _outcome(question, state, fires=False, reason=reason)

    def fired(self, trigger: Trigger, state: State) -> State:
        """From now on rows behind it count; what is expected of its model is not known yet."""
        trainings = state["trainings"]
        if trainings and trainings[-1][0] >= trigger.number:
            return state
        first_key = trainings[-1][2] + 1 if trainings else self._start.first_key
        training = [trigger.number, first_key, trigger.key]
        return {
            **state,
            "trainings": [*trainings, training][-_TRIGGERS_KEPT:],
            "time_us": trigger.timestamp_us,
            "looked": {"key": trigger.key, "known": 0},
            "memory": self._rule.after_trigger(state["memory"]),
        }

    def trained(self, training: Training, state: State) -> State:
        """That trigger's model is there, or there will be none."""
        return {**state, "settled": max(state["settled"], training.trigger)}

    def waits_for(self, next_key: int, event_time_us: int, state: State) -> str:
        """How far it is to the next look."""
        return self._looks.waits_for(next_key, event_time_us)


def _without(told: Score, newest: int, settled: bool) -> str:
    """Where there is no model: whether there will be one, and whether there is something to train on."""
    if not settled:
        return f"there is no model yet: trigger {newest} is being trained on"
    lacking = "" if told.known else ", and no label of a row behind it is known"
    return f"there is no model yet: trigger {newest} made none{lacking}"


def _with_model(told: Score, state: State) -> State:
    """The state with what was told of the current model: older ones do not come back."""
    expected = state["expected"]
    if expected is not None and expected["model"] != told.model:
        expected = None
    if told.expected is not None:
        expected = {"model": told.model, "score": told.expected, "n": told.expected_n}
    trainings = [one for one in state["trainings"] if one[0] >= (told.model or 0)]
    return {**state, "expected": expected, "trainings": trainings}


def _outcome(question: Question, state: State, *, fires: bool, reason: str) -> Observation:
    if fires:
        return decided(question.key, question.timestamp_us, reason, state)
    return missed(question.key, reason, state)
