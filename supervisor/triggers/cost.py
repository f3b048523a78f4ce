"""Policy cost: retrain when what the wait has cost outweighs what a training would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from marshmallow import ValidationError

from shared.config import fields as f
from shared.plugins import METRICS
from supervisor.triggers.costs.forecast import Forecast, Forecasting
from supervisor.triggers.costs.regret import UNITS, Latency, Mistakes
from supervisor.triggers.looks.looks import Looks
from supervisor.triggers.looks.outcome import decided, missed
from supervisor.triggers.looks.span import SpanField
from supervisor.triggers.policy import (
    Answer,
    Batch,
    NearMiss,
    Observation,
    Question,
    State,
    StreamStart,
    Training,
    Trigger,
    TriggerPolicy,
)
from supervisor.triggers.rules.rule import amount


class Cost(TriggerPolicy):
    """When the regret of not retraining outweighs the forecast training time.

    Both begin anew with each trigger, whoever fired it. While nothing was trained it fires at its next look.
    """

    class Schema(Forecasting):
        """Its options."""

        every = SpanField("rows or event time between two looks", required=True)
        regret = f.Choice(
            "what waiting costs. latency: each row since the last trigger, for each second of event time that it has "
            "waited; mistakes: each that the model makes on these rows beyond those expected of it; mistake_latency: "
            "each of these for each second since",
            *UNITS,
            load_default="latency",
        )
        per_training_second = f.PositiveNumber(
            "how much of this regret is worth a second of training", required=True, tuned=f.Tuned()
        )
        expected = f.Number(
            "the accuracy expected of the model (mistakes, mistake_latency); else its own on the held-out rows of the "
            "stretch that it was trained on",
            least=0,
            load_default=None,
        )

        @f.validates_schema
        def _expected(self, data: dict[str, Any], **_: Any) -> None:
            expected = data["expected"]
            if expected is not None and data["regret"] == "latency":
                raise ValidationError({"expected": ["is of mistakes, and regret is latency; remove it."]})
            if expected is not None and expected > 1:
                raise ValidationError({"expected": [f"{expected:g} is no accuracy; write a share, such as 0.9."]})

    hears_trainings = True

    def __init__(self, options: Mapping[str, Any], start: StreamStart) -> None:
        self._looks, self._forecast = Looks(options["every"], start), Forecast(options, start)
        self._latency, self._mistakes = Latency(start), Mistakes(options["expected"], start)
        self._kind: str = options["regret"]
        self._rate: float = options["per_training_second"]
        self.asks = self._kind != "latency"

    @classmethod
    def objections(cls, options: Mapping[str, Any], pipeline: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Mistakes are those of a model that says a class, beyond those expected of it."""
        regret, metrics = options["regret"], (pipeline.get("evaluation") or {}).get("metrics") or []
        split = (pipeline.get("data") or {}).get("split")
        if regret == "latency":
            return
        if metrics and METRICS[metrics[0]["name"]].task != METRICS["accuracy"].task:
            sentence = f"{regret} are of classes, and {metrics[0]['label']}, of evaluation.metrics, is of numbers;"
            yield "regret", f"{sentence} write latency."
        if options["expected"] is None and split and not split["test"] + split["validation"]:
            sentence = f"is missing, and {regret} are compared with what held-out rows say, of which there are none;"
            yield "expected", f"{sentence} write it, or give data.split.test a share, such as 0.1."

    def begin(self) -> State:
        """What trainings are forecast from, the regret so far, and whether the last look waits for a training."""
        regret = self._mistakes.begin() if self.asks else self._latency.begin()
        return {"forecast": self._forecast.begin(), "regret": regret, "waits": False}

    def observe(self, batch: Batch, state: State) -> Observation:
        """Look by look, up to the first at which it fires or asks. O(rows), without a loop over them."""
        near_misses: tuple[NearMiss, ...] = ()
        next_key = batch.first_key
        for key in self._looks.among(batch).tolist():
            found = self._looked(key, batch.time_at(key), self._waited(batch.part(next_key, key + 1), state))
            state, next_key, near_misses = found.state, key + 1, near_misses + found.near_misses
            if found.decision or found.question:
                return msgspec.structs.replace(found, near_misses=near_misses)
        if next_key < batch.stop_key:
            state = self._waited(batch.part(next_key, batch.stop_key), state)
        return Observation(state=state, near_misses=near_misses)

    def _waited(self, batch: Batch, state: State) -> State:
        """With rows that have come."""
        return state if self.asks else {**state, "regret": self._latency.seen(batch, state["regret"])}

    def quiet(self, now_us: int, key: int, event_time_us: int, state: State) -> Observation:
        """The look that waited for a training to be over, at the last row; the next row may be long in coming."""
        if state["waits"] and not state["forecast"]["open"]:
            return self._looked(key, event_time_us, state)
        return Observation(state=state)

    def _looked(self, key: int, timestamp_us: int, state: State) -> Observation:
        state = {**state, "waits": False}
        if not Forecast.begun(state["forecast"]):
            return decided(key, timestamp_us, "there is no model yet", state)
        if not self.asks:
            regret = self._latency.value(state["regret"])
            return self._weighed(state, key, timestamp_us, regret, "")
        if state["forecast"]["open"]:
            return missed(key, "the model of the last trigger is being trained", {**state, "waits": True})
        question = self._mistakes.question(key, timestamp_us, state["regret"])
        return Observation(state=state, question=question, seen_key=key)

    def answer(self, question: Question, answer: Answer, state: State) -> Observation:
        """Regret by what the model gets wrong; without one it fires."""
        key, timestamp_us = question.key, question.timestamp_us
        if self._forecast.new_rows(key, state["forecast"]) <= 0:
            return missed(key, "a trigger by hand has come first", state)
        if answer["model"] is None:
            return decided(key, timestamp_us, "there is no model yet", state)
        regret, heard = self._mistakes.heard(question, answer, state["regret"])
        if regret is None:
            return missed(key, heard, state)
        value = regret["mistakes" if self._kind == "mistakes" else "waited_s"]
        return self._weighed({**state, "regret": regret}, key, timestamp_us, value, f" ({heard})")

    def fired(self, trigger: Trigger, state: State) -> State:
        """Whoever fired: regret begins anew."""
        if self.asks:
            regret = self._mistakes.fired(trigger, state["regret"])
        else:
            rows = self._forecast.new_rows(trigger.key, state["forecast"])
            regret = self._latency.fired(trigger, rows, state["regret"])
        return {"forecast": self._forecast.fired(trigger, state["forecast"]), "regret": regret, "waits": False}

    def trained(self, training: Training, state: State) -> State:
        """What the next will take is forecast from it."""
        return {**state, "forecast": self._forecast.trained(training, state["forecast"])}

    def waits_for(self, next_key: int, event_time_us: int, state: State) -> str:
        """How far it is to the next look."""
        return self._looks.waits_for(next_key, event_time_us)

    def _weighed(self, state: State, key: int, timestamp_us: int, regret: float, heard: str) -> Observation:
        """Regret against what a training at this row is forecast to take."""
        forecast, unit = state["forecast"], UNITS[self._kind]
        rows = self._forecast.rows(key, forecast)
        seconds = self._forecast.seconds(rows, forecast)
        if seconds is None:
            fires = not forecast["open"]  # none that could tell: only another one can
            state = {**state, "waits": not fires}
            reason = f"regret {amount(regret)} {unit}{heard}; no training is over yet that tells how long one takes"
        else:
            worth = self._rate * seconds
            fires = regret >= worth
            reason = (
                f"regret {amount(regret, worth)} {'≥' if fires else '<'} {amount(worth, regret)} {unit}{heard}, "
                f"for about {amount(seconds)} s of training on {rows:,} rows"
            )
        return decided(key, timestamp_us, reason, state) if fires else missed(key, reason, state)
