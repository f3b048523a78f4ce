"""Trigger when the current model is no longer good enough on what arrives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from marshmallow import ValidationError

from shared.config import fields as f
from shared.config.schema.evaluation import MetricField
from shared.plugins import METRICS
from shared.words import counted
from supervisor.triggers.decide_on_scores import DecideOnScores
from supervisor.triggers.looking import Every, Looks
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
from supervisor.triggers.ranges import Extent
from supervisor.triggers.score_rule import Expected, Score, ScoreRule

_TRIGGERS_KEPT = 64  # of those whose model may be the current one; more only if so many in a row made none
_NO_MISTAKES = "{} does not count mistakes; take accuracy, or decide by drop."


class Performance(TriggerPolicy):
    """Looks every so often at the current model's score on the rows that came since the newest trigger.

    Of these only rows whose labels are known by then count. Without a model it fires at each look. While the newest
    trigger's model is being made it does not: what is there is judged by a model that is about to be replaced.
    """

    asks = True
    hears_trainings = True

    class Schema(f.Group):
        """Its options."""

        every = Every("how often to look: a number of rows, or a duration of event time", required=True)
        metric = MetricField(
            METRICS, "what is measured, as in evaluation.metrics; else the first of those", load_default=None
        )
        window = f.Sub(
            Extent,
            "which rows since the newest trigger are scored: the newest N whose labels are known, or those of the last "
            "stretch of event time before the newest of them; else all that became known since the last look",
            load_default=None,
        )
        decide = f.Sub(DecideOnScores, "which scores fire", required=True)

        @f.validates_schema
        def _counts_once(self, data: dict[str, Any], **_: Any) -> None:
            if data["decide"]["policy"] != "mistakes":
                return
            if data["window"] is not None:
                raise ValidationError({"window": ["goes with other rules: mistakes counts each row once; remove it."]})
            if data["metric"] is not None and data["metric"]["name"] != "accuracy":
                raise ValidationError({"metric": [_NO_MISTAKES.format(data["metric"]["label"])]})

    def __init__(self, options: Mapping[str, Any], start: StreamStart) -> None:
        self._metric, self._window = options["metric"], options["window"]
        self._looks, self._rule, self._start = Looks(options["every"], start), ScoreRule(options["decide"]), start

    @classmethod
    def objections(cls, options: Mapping[str, Any], pipeline: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """What the rest of pipeline.yaml does not allow."""
        decide, metrics = options["decide"], (pipeline.get("evaluation") or {}).get("metrics") or []
        split = (pipeline.get("data") or {}).get("split")
        metric = options["metric"] or (metrics[0] if metrics else None)
        if metric is not None and decide["policy"] == "mistakes" and metric["name"] != "accuracy":
            yield "metric", _NO_MISTAKES.format(metric["label"])
        if metrics and metric is not None and METRICS[metric["name"]].task != METRICS[metrics[0]["name"]].task:
            sentence = f"{metric['label']} and {metrics[0]['label']}, of evaluation.metrics, measure different models;"
            yield "metric", f"{sentence} take one of the same kind."
        if ScoreRule(decide).compares and split and not split["test"] + split["validation"]:
            sentence = f"{decide['policy']} compares with the model's score on held-out rows, and there are none;"
            yield "decide.policy", f"{sentence} give data.split.test a share, such as 0.1."

    def begin(self) -> State:
        """No trigger yet, but for that of all rows before the stream."""
        trained_key = self._start.trained_key
        return {
            "trainings": [] if trained_key is None else [[0, 0, trained_key]],
            "time_us": self._start.event_time_us,  # at the newest trigger
            "settled": -1,
            "known": 0,
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
            decision = Decision(key=key, timestamp_us=timestamp_us, reason=reason)
            return Observation(state=state, decision=decision, seen_key=key)
        question = Question(
            key=key,
            timestamp_us=timestamp_us,
            detector="performance",
            options=self._asked(key, state),
            needs_model=True,
        )
        return Observation(state=state, question=question, seen_key=key)

    def _asked(self, key: int, state: State) -> dict[str, Any]:
        """What the detector is to look at. What is expected of a model is asked until it is known."""
        _, _, last_key = state["trainings"][-1]
        window = {"known": state["known"]} if self._window is None else self._window
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
        newest, *_ = state["trainings"][-1]
        settled = state["settled"] >= newest
        if told.model is None:
            made = "made none" if settled else "is being trained on"
            return _outcome(question, state, fires=settled, reason=f"there is no model yet: trigger {newest} {made}")
        state = _with_model(told, state)
        expected = None if state["expected"] is None else Expected(**state["expected"])
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
            "known": 0,
            "memory": self._rule.after_trigger(state["memory"]),
        }

    def trained(self, training: Training, state: State) -> State:
        """That trigger's model is there, or there will be none."""
        return {**state, "settled": max(state["settled"], training.trigger)}

    def waits_for(self, next_key: int, event_time_us: int, state: State) -> str:
        """How far it is to the next look."""
        return self._looks.next(next_key, event_time_us)


def _with_model(told: Score, state: State) -> State:
    """The state with what was told of the current model: older ones do not come back."""
    expected = state["expected"]
    if expected is not None and expected["model"] != told.model:
        expected = None
    if told.expected is not None:
        expected = {"model": told.model, "score": told.expected, "n": told.expected_n}
    trainings = [one for one in state["trainings"] if one[0] >= (told.model or 0)]
    return {**state, "known": told.known, "expected": expected, "trainings": trainings}


def _outcome(question: Question, state: State, *, fires: bool, reason: str) -> Observation:
    """A decision, or a near miss."""
    if not fires:
        return Observation(state=state, near_misses=(NearMiss(key=question.key, reason=reason),))
    return Observation(
        state=state, decision=Decision(key=question.key, timestamp_us=question.timestamp_us, reason=reason)
    )
