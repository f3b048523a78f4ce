"""Policies cost_threshold and cost_cumulative: retrain when the errors of the current model cost too much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from shared.config import fields as f
from supervisor.triggers.costs.staleness import Staleness
from supervisor.triggers.looks.looks import Looks
from supervisor.triggers.looks.outcome import decided, missed, without_model
from supervisor.triggers.looks.span import SpanField
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
from supervisor.triggers.rules.rule import amount


class StalenessOptions(f.Group):
    """Beside `policy: cost_threshold` and `policy: cost_cumulative`."""

    every = SpanField("rows or event time between two looks", required=True)
    threshold = f.PositiveNumber(
        "the cost that fires, in the currency of price; else that of a training",
        load_default=None,
        tuned=f.Tuned(otherwise="price.training"),
    )
    over = f.Choice(
        "which errors count. zero: all; expected: those beyond the share that the model has on the held-out rows of "
        "the stretch that it was trained on",
        "zero",
        "expected",
        load_default="zero",
    )


class _ByStaleness(TriggerPolicy):
    """The base of both. Without a model it fires at its first look, and where that made none, once a label of a row
    behind it is known; while the newest trigger's model is being made it does not: what is judged is about to be
    replaced.

    State: `rows`, that of `Staleness`; `cost`, of errors since the newest trigger; `settled`, the last trigger that is
    over.
    """

    Schema = StalenessOptions
    asks = True
    hears_trainings = True
    weighs_costs = True

    def __init__(self, options: Mapping[str, Any], start: StreamStart) -> None:
        price = options["price"]
        self._looks, self._staleness = Looks(options["every"], start), Staleness(price, options["over"], start)
        self._threshold: float = price.training if options["threshold"] is None else options["threshold"]

    @classmethod
    def objections(cls, options: Mapping[str, Any], pipeline: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """What is expected is told by held-out rows."""
        split = (pipeline.get("data") or {}).get("split")
        if options["over"] == "expected" and split and not split["test"] + split["validation"]:
            sentence = "expected compares with what held-out rows say, of which there are none;"
            yield "over", f"{sentence} write zero, or give data.split.test a share, such as 0.1."

    def begin(self) -> State:
        """Nothing was lost yet."""
        return {"rows": self._staleness.begin(), "cost": 0.0, "settled": -1}

    def observe(self, batch: Batch, state: State) -> Observation:
        """A question at the first look; a decision or a near miss where there is nothing to ask."""
        looks = self._looks.among(batch)
        if not len(looks):
            return Observation(state=state)
        key = int(looks[0])
        timestamp_us, triggers = batch.time_at(key), state["rows"]["triggers"]
        if not triggers:
            return decided(key, timestamp_us, "there is no model yet", state)
        if state["settled"] < triggers[-1][0]:
            training = missed(key, f"the model of trigger {triggers[-1][0]} is being trained", state)
            return msgspec.structs.replace(training, seen_key=key)
        question = self._staleness.question(key, timestamp_us, state["rows"])
        return Observation(state=state, question=question, seen_key=key)

    def answer(self, question: Question, answer: Answer, state: State) -> Observation:
        """Whether the errors cost too much."""
        key, (newest, _, last_key) = question.key, state["rows"]["triggers"][-1]
        if question.options["current"][0] <= last_key:
            return missed(key, f"trigger {newest} came before the answer", state)
        if answer["model"] is None:
            return without_model(question, answer, newest, state)
        cost, said, rows = self._staleness.heard(question, answer, state["rows"])
        state = {**state, "rows": rows}
        if cost is None:
            return missed(key, said, state)
        state = {**state, "cost": max(state["cost"] + cost, 0.0)}
        value, what = self._judged(cost, state)
        fires = value >= self._threshold or abs(value - self._threshold) <= 1e-9 * self._threshold
        compared = f"{amount(value, self._threshold)} {'≥' if fires else '<'} {amount(self._threshold, value)}"
        reason = f"{what} {compared}: {said}"
        return decided(key, question.timestamp_us, reason, state) if fires else missed(key, reason, state)

    def _judged(self, cost: float, state: State) -> tuple[float, str]:
        """What is compared with the threshold, and what it is called; `cost`: of this look."""
        raise NotImplementedError

    def fired(self, trigger: Trigger, state: State) -> State:
        """Whoever fired: nothing is lost yet."""
        return {**state, "rows": self._staleness.fired(trigger, state["rows"]), "cost": 0.0}

    def trained(self, training: Training, state: State) -> State:
        """That trigger's model is there, or there will be none."""
        return {**state, "settled": max(state["settled"], training.trigger)}

    def waits_for(self, next_key: int, event_time_us: int, state: State) -> str:
        """How far it is to the next look."""
        return self._looks.waits_for(next_key, event_time_us)


class CostThreshold(_ByStaleness):
    """When the errors of the current model since the last look cost as much as a threshold."""

    def _judged(self, cost: float, state: State) -> tuple[float, str]:
        return cost, "errors cost"


class CostCumulative(_ByStaleness):
    """When the errors of the current model since the last trigger together cost as much as a threshold."""

    def _judged(self, cost: float, state: State) -> tuple[float, str]:
        return state["cost"], f"errors since the newest trigger cost ({amount(cost)} now)"
