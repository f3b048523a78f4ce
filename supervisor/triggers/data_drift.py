"""Trigger when what arrives has moved from what was there: a detector compares two windows, decision rules judge it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shared.words import counted
from supervisor.triggers.drift.options import DriftOptions
from supervisor.triggers.drift.statistic import options_of
from supervisor.triggers.looks.looks import Looks
from supervisor.triggers.looks.outcome import decided, missed
from supervisor.triggers.looks.ranges import Ranges
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
from supervisor.triggers.rules.combine import combined
from supervisor.triggers.rules.made import rule_of
from supervisor.triggers.rules.rule import UNDEFINED, Rule, Verdict


class DataDrift(TriggerPolicy):
    """When the rows of a window differ from those of a reference.

    It looks as soon as a whole window has come since the last trigger, and from then on at each look. Without a
    reference, before the first trigger, the first look fires; so does one without a model, in the space of its
    embedding, where the last trigger is over and has brought none.
    """

    Schema = DriftOptions
    asks = True

    def __init__(self, options: Mapping[str, Any], start: StreamStart) -> None:
        self._statistics: Sequence[Mapping[str, Any]] = options["statistics"]
        self._combine = options["combine"]
        self._looks = Looks(options["every"], start)
        self._ranges = Ranges(options["window"], options["reference"], start)
        self._how = {
            "statistics": [options_of(one) for one in self._statistics],
            **{key: options[key] for key in ("most_rows", "space", "ignore", "pca")},
        }
        self._needs_model = self.hears_trainings = options["space"] == "embedding"

    def begin(self) -> State:
        """Of the ranges and the rules; the model that was looked through; the last trigger, and the last that is over.

        Its size does not depend on how many rows or triggers there were.
        """
        rules = [rule.state for rule in self._rules()]
        return {**self._ranges.begin(), "rules": rules, "model": None, "trigger": None, "over": None}

    def observe(self, batch: Batch, state: State) -> Observation:
        """A question at the first look with a whole window."""
        key = self._ranges.whole(self._looks.among(batch), batch, state)
        if key is None:
            return Observation(state=state)
        timestamp_us = batch.time_at(key)
        if state["last"] is None:
            reason = "there is no reference yet: no trigger came before"
            return decided(key, timestamp_us, reason, state)
        question = Question(
            key=key,
            timestamp_us=timestamp_us,
            detector="drift",
            options={**self._ranges.of_look(key, timestamp_us, state), **self._how},
            needs_model=self._needs_model,
        )
        return Observation(state=state, question=question, seen_key=key)

    def answer(self, question: Question, answer: Answer, state: State) -> Observation:
        """What the rules make of the statistics."""
        if question.key <= state["last"][0]:  # somebody else's trigger: they were compared with another reference
            return _observed(question, False, f"trigger {state['trigger']} came before the answer", state)
        if self._needs_model and answer["model"] is None:
            return _without_model(question, state)
        state = self._ranges.answered(question.timestamp_us, answer, state)
        if answer["model"] != state["model"]:
            state = {**self._forgetting(state), "model": answer["model"]}
        rules = self._rules(state)
        verdicts = [
            (one["name"], _verdict(rule, answer["statistics"][one["name"]]))
            for one, rule in zip(self._statistics, rules, strict=True)
        ]
        verdict, (reference, current) = combined(verdicts, self._combine), answer["rows"]
        reason = f"{verdict.reason} on {current:,} vs {counted(reference, 'row')}"
        return _observed(question, verdict.fires, reason, {**state, "rules": [rule.state for rule in rules]})

    def fired(self, trigger: Trigger, state: State) -> State:
        """Values to come are distances from another reference."""
        return {**self._forgetting(self._ranges.fired(trigger, state)), "trigger": trigger.number}

    def trained(self, training: Training, state: State) -> State:
        """Remembers that no model comes of this trigger any more, if there is none."""
        return {**state, "over": training.trigger}

    def waits_for(self, next_key: int, event_time_us: int, state: State) -> str:
        """When it looks next."""
        return self._looks.waits_for(next_key, event_time_us)

    def _rules(self, state: State | None = None) -> list[Rule]:
        """One for each statistic, as it was; at first without a state."""
        rules = [rule_of(one["decide"], seed=place) for place, one in enumerate(self._statistics)]
        for rule, remembered in zip(rules, state["rules"] if state else (), strict=state is not None):
            rule.restore(remembered)
        return rules

    def _forgetting(self, state: State) -> State:
        """The rules forget values that later ones cannot be compared with."""
        rules = self._rules(state)
        for rule in rules:
            rule.reset()
        return {**state, "rules": [rule.state for rule in rules]}


def _verdict(rule: Rule, found: Mapping[str, Any]) -> Verdict:
    """A rule's, of what the detector has found."""
    rule.fires(found["statistic"], found["p_value"])
    reason = rule.last.reason
    if found.get("why"):
        reason = reason.replace(UNDEFINED.reason, f"{UNDEFINED.reason} ({found['why']})")
    elif found.get("most"):  # the feature that differs most
        reason = f"{reason} (most: {found['most']})"
    return msgspec.structs.replace(rule.last, reason=reason)


def _without_model(question: Question, state: State) -> Observation:
    """It fires unless a training is under way that may bring one."""
    over = state["over"] is not None and state["over"] == state["trigger"]
    reason = "there is no model whose embedding could be compared"
    return _observed(question, over, reason if over else f"{reason} yet", state)


def _observed(question: Question, fires: bool, reason: str, state: State) -> Observation:
    if fires:
        return decided(question.key, question.timestamp_us, reason, state)
    return missed(question.key, reason, state)
