"""Policy performance_forecast: retrain when keeping the model is forecast to cost more than a new one and its price."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from shared.config.pipeline import Price
from shared.plugins import METRICS
from shared.words import counted
from supervisor.triggers.costs.new_rows import NewRows
from supervisor.triggers.forecasts.options import ForecastOptions
from supervisor.triggers.forecasts.outlook import Horizon, Seen, outlook
from supervisor.triggers.looks.looks import Looks
from supervisor.triggers.looks.outcome import decided, missed, without_model
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
from supervisor.triggers.rules.rule import amount, number

_MOST_SEEN = 120  # errors, the newest
_MOST_MODELS = 20  # whose look is known
_MOST_ROWS = 20_000  # of a look, whose means are compared
_DIGITS = 6


class PerformanceForecast(TriggerPolicy):
    """When the forecast cost of keeping the model is above that of a new one, with the price of its training.

    Each look brings the current model's error, and how far the means of the features have moved since the look before.
    The first models are trained to learn from; then a regression over what was seen tells what keeping and replacing
    will cost over a horizon, and their quantiles are compared. While the newest trigger's model is being made nothing
    fires.
    """

    Schema = ForecastOptions
    asks = True
    hears_trainings = True
    weighs_costs = True

    def __init__(self, options: Mapping[str, Any], start: StreamStart) -> None:
        self._price: Price = options["price"]
        self._looks, self._rows, self._start = Looks(options["every"], start), NewRows(start), start
        self._horizon: int = options["horizon"]
        self._share: float = options["quantile"]
        self._learn: Mapping[str, int] = options["learn"]
        self._space: dict[str, Any] = {"space": options["space"], "ignore": options["ignore"]}
        kind = METRICS[self._price.metric.name]
        self._best = kind.best or 0.0
        self._largest = abs(self._best - (kind.worst or 0.0))  # error that there can be

    @classmethod
    def objections(cls, options: Mapping[str, Any], pipeline: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """A Beta is of what has bounds."""
        metric = options["price"]["metric"]
        if METRICS[metric["name"]].worst is None:
            sentence = f"{metric['label']} can be as bad as may be, and a forecast needs a bound;"
            yield "price.metric", f"{sentence} take accuracy, f1, auroc or top_k."

    def begin(self) -> State:
        """`rows`, of `NewRows`; `settled`, the last trigger that is over; `look`, how many there were; `models`,
        [trigger, look at which it was made]; `stretches`, [first key, last key] of the looks before and now; `told`,
        the error that waits for how far the features moved, which was `shift` last; `seen`, as `Seen`; `met`, of how
        many models, and the look at which the last of them was made; `learning`, until there are models enough to learn
        from.
        """
        models = [] if self._start.trained_key is None else [[0, 0]]
        return {
            "rows": self._rows.begin(),
            "settled": -1,
            "look": 0,
            "models": models,
            "stretches": [None, None],
            "told": None,
            "shift": None,
            "seen": [],
            "met": [0, None],
            "learning": True,
        }

    def observe(self, batch: Batch, state: State) -> Observation:
        """A question at the first look; a decision or a near miss where there is nothing to ask."""
        looks = self._looks.among(batch)
        if not len(looks):
            return Observation(state=state)
        key = int(looks[0])
        timestamp_us, triggers = batch.time_at(key), state["rows"]["triggers"]
        _, before = state["stretches"]
        first_key = self._start.first_key if before is None else before[1] + 1
        state = {**state, "look": state["look"] + 1, "stretches": [before, [first_key, key]], "told": None}
        if not triggers:
            return decided(key, timestamp_us, "there is no model yet", state)
        if state["settled"] < triggers[-1][0]:
            training = missed(key, f"the model of trigger {triggers[-1][0]} is being trained", state)
            return msgspec.structs.replace(training, seen_key=key)
        options = self._rows.asked(key, msgspec.to_builtins(self._price.metric), state["rows"], expected=False)
        return self._asked(key, timestamp_us, "performance", options, state)

    def _asked(self, key: int, timestamp_us: int, detector: str, options: dict[str, Any], state: State) -> Observation:
        needs_model = detector == "performance" or self._space["space"] == "embedding"
        question = Question(
            key=key, timestamp_us=timestamp_us, detector=detector, options=options, needs_model=needs_model
        )
        return Observation(state=state, question=question, seen_key=key)

    def answer(self, question: Question, answer: Answer, state: State) -> Observation:
        """After the error, how far the features have moved; then what is forecast."""
        key, (newest, _, last_key) = question.key, state["rows"]["triggers"][-1]
        if last_key >= key:
            return missed(key, f"trigger {newest} came before the answer", state)
        if question.detector == "drift":
            return self._moved(question, answer, state)
        if answer["model"] is None:
            return without_model(question, answer, newest, state)
        if answer["score"] is None:
            if answer["known"] > state["rows"]["looked"]["known"]:  # passed over, or no later look would have a score
                state = {**state, "rows": {**state["rows"], **self._rows.looked(key, answer)}}
            return missed(key, f"{answer['metric']} is undefined: {answer['error']}", state)
        error = round(abs(self._best - answer["score"]) / self._largest, _DIGITS)
        rows = {**state["rows"], **self._rows.looked(key, answer)}
        state = {**state, "rows": rows, "told": {"model": answer["model"], "error": error}}
        before, now = state["stretches"]
        if before is None:
            return self._weighed(question, state)
        ranges = {"reference": _range(before), "current": _range(now)}
        how = {"statistics": [{"name": "mean_shift", "features": "mean"}], "pca": None, "most_rows": _MOST_ROWS}
        return self._asked(key, question.timestamp_us, "drift", {**ranges, **how, **self._space}, state)

    def _moved(self, question: Question, answer: Answer, state: State) -> Observation:
        """With how far they have; where that cannot be told it is taken to be as at the look before, at first not."""
        found = answer["statistics"]["mean_shift"]["statistic"] if "statistics" in answer else None
        shift = state["shift"] or 0.0 if found is None else round(found, _DIGITS)
        return self._weighed(question, {**state, "shift": shift})

    def _weighed(self, question: Question, state: State) -> Observation:
        """Keeping against replacing, once there are models to learn from."""
        key, told = question.key, state["told"]
        made = next((look for trigger, look in reversed(state["models"]) if trigger == told["model"]), 0)
        said = f"error {number(told['error'] * self._largest)} of model {told['model']}"
        state = {**state, "told": None}
        if state["shift"] is not None:
            seen = [*state["seen"], [made, state["look"], state["shift"], told["error"]]]
            met, last = state["met"]
            state = {**state, "seen": seen[-_MOST_SEEN:], "met": [met + (made != last), made]}
        models = state["met"][0]
        if state["learning"] and models < self._learn["trainings"]:
            fires, reason = self._learned(models, state["look"] - made)
        else:
            state = {**state, "learning": False}
            fires, reason = self._forecast(key, made, state)
        reason = f"{reason}; {said}"
        return decided(key, question.timestamp_us, reason, state) if fires else missed(key, reason, state)

    def _learned(self, models: int, age: int) -> tuple[bool, str]:
        """Whether the model is old enough to make place for another one to learn from."""
        looks, of = self._learn["looks"], self._learn["trainings"]
        return age >= looks, f"learning from model {max(models, 1)} of {of}: look {min(age, looks)} of {looks}"

    def _forecast(self, key: int, made: int, state: State) -> tuple[bool, str]:
        """Whether replacing is forecast to be cheaper, and both costs."""
        seen = [Seen(*one) for one in state["seen"]]
        ahead = Horizon(look=state["look"], looks=self._horizon, shift=state["shift"], share=self._share)
        found = outlook(seen, made, ahead)
        rows = (key + 1 - self._start.first_key) / state["look"]
        each = self._price.error * self._largest * rows
        keep, replace = found.kept * each, self._price.training + found.replaced * each
        fires = replace < keep
        told = f"{amount(keep, replace)} {'>' if fires else '≤'} {amount(replace, keep)}"
        return fires, f"over {counted(self._horizon, 'look')} keeping costs up to {told} of retraining, price included"

    def fired(self, trigger: Trigger, state: State) -> State:
        """Its model is made at this look."""
        models = [*state["models"], [trigger.number, state["look"]]][-_MOST_MODELS:]
        return {**state, "rows": {**state["rows"], **self._rows.fired(trigger, state["rows"])}, "models": models}

    def trained(self, training: Training, state: State) -> State:
        """That trigger's model is there, or there will be none."""
        return {**state, "settled": max(state["settled"], training.trigger)}

    def waits_for(self, next_key: int, event_time_us: int, state: State) -> str:
        """How far it is to the next look."""
        return self._looks.waits_for(next_key, event_time_us)


def _range(stretch: list[int]) -> dict[str, int]:
    return {"first_key": stretch[0], "last_key": stretch[1]}
