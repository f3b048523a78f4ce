"""Guard budget: what trainings may take within a stretch of event time, whatever the policy decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.config import fields as f
from shared.config.resolved import as_written
from shared.timestamps import MICROSECONDS_PER_S
from supervisor.triggers.costs.forecast import Forecast, Forecasting
from supervisor.triggers.guard import Guard, refused
from supervisor.triggers.policy import (
    Batch,
    Decision,
    Observation,
    State,
    StreamStart,
    Training,
    Trigger,
    TriggerPolicy,
)
from supervisor.triggers.rules.rule import number

_S_PER_HOUR = 3600
_SHORT_S = 36  # a hundredth of an hour: less is told in seconds
_PIECES = 256  # of the period: trainings within one count until the last of them drops out, so that the state is small
_ROUNDING = 1 + 1e-9  # ten tenths of the allowance are within it
# One training in the state: trigger, its timestamp, seconds (None: not known); whether it is over.
_Spent = list[Any]


class Allowance(Forecasting):
    """`budget:`."""

    gpu_hours = f.PositiveNumber("what all workers together may train within the period, in hours", required=True)
    per_s = f.Duration("the period, of event time, up to each trigger", required=True, data_key="per")


class Budget(Guard):
    """Keeps a decision that trainings of the period, and the forecast of its own, would take beyond the allowance.

    A trigger by hand is counted and not kept. The state has one entry for each training that is not over, and at most
    one for each 256th of the period.
    """

    option = f.Sub(Allowance, "what trainings may take within a stretch of event time; a decision beyond it is kept")

    def __init__(self, option: Any, inner: TriggerPolicy, start: StreamStart) -> None:
        super().__init__(option, inner, start)
        self.hears_trainings = True
        self._allowed_s: float = option["gpu_hours"] * _S_PER_HOUR
        self._per_us = round(option["per_s"] * MICROSECONDS_PER_S)
        self._per: str = as_written(f.Duration(""), option["per_s"])
        self._forecast = Forecast(option, start)
        self._start = start

    def _begin(self) -> State:
        state = self._forecast.begin()
        if self._start.trained_key is None:
            return {"forecast": state, "spent": []}
        seconds = self._forecast.seconds(self._start.trained_key + 1, state)
        return {"forecast": state, "spent": [[0, self._start.event_time_us, seconds, False]]}

    def _kept(self, observed: Observation, batch: Batch | None) -> Observation:
        """Passed on, if the training is within the allowance as far as one knows."""
        if observed.decision is None:
            return observed
        why = self._objection(observed.decision, observed.state)
        return observed if why is None else refused(observed, observed.decision, why)

    def _objection(self, decision: Decision, state: State) -> str | None:
        forecast = state["forecast"]
        within = list(self._within_period(decision.timestamp_us, state))
        seconds = self._forecast.seconds(self._forecast.rows_at_most(decision.key, forecast), forecast)
        if seconds is None:  # the first that is measured passes; no second beside it
            runs = any(not over for *_, over in within)
            return "budget: what a training takes is not known before the first one is over" if runs else None
        spent_s = sum(one[2] or 0.0 for one in within)
        if spent_s + seconds <= self._allowed_s * _ROUNDING:
            return None
        what = f"this training would take up to {_time(seconds)}"
        if seconds > self._allowed_s:
            what += ", more than there ever is: raise gpu_hours, or have the strategy select fewer rows"
        return f"budget: {self._told(spent_s)}, {what}"

    def fired(self, trigger: Trigger, state: State) -> State:
        """Whoever fired: its training counts with what it is forecast to take, until it is over."""
        forecast = state["forecast"]
        seconds = self._forecast.seconds(self._forecast.rows_at_most(trigger.key, forecast), forecast)
        left = [one for one in self._within_period(trigger.timestamp_us, state) if one[0] != trigger.number]
        state = super().fired(trigger, state)
        spent = [*left, [trigger.number, trigger.timestamp_us, seconds, False]]
        return {**state, "forecast": self._forecast.fired(trigger, forecast), "spent": spent}

    def trained(self, training: Training, state: State) -> State:
        """From now on it counts with what it took. One that failed unmeasured goes on counting as it was forecast."""
        took_s = self._forecast.spent_s(training)
        spent = [
            [number, us, seconds if took_s is None else took_s, True] if number == training.trigger else one
            for one in state["spent"]
            for number, us, seconds, _ in [one]
        ]
        forecast = self._forecast.trained(training, state["forecast"])
        return {**super().trained(training, state), "forecast": forecast, "spent": self._in_pieces(spent)}

    def waits_for(self, next_key: int, event_time_us: int, state: State) -> str:
        """What the inner policy waits for, and what is spent."""
        inner = super().waits_for(next_key, event_time_us, state)
        spent_s = sum(one[2] or 0.0 for one in self._within_period(event_time_us, state))
        told = self._told(spent_s)
        return f"{inner}; {told}" if inner else told

    def _told(self, spent_s: float) -> str:
        allowed = self._allowed_s / _S_PER_HOUR
        hours = f"{allowed:g} GPU-hour{'' if allowed == 1 else 's'}"
        return f"{_time(spent_s, self._allowed_s)} of {hours} of the last {self._per} are spent"

    def _within_period(self, timestamp_us: int, state: State) -> Iterator[_Spent]:
        return (one for one in state["spent"] if one[1] > timestamp_us - self._per_us)

    def _in_pieces(self, spent: list[_Spent]) -> list[_Spent]:
        """Neighbours that are over and lie in the same piece of the period become one, at the moment of the later."""
        piece_us, together = max(self._per_us // _PIECES, 1), list[_Spent]()
        for one in spent:
            before = together[-1] if together else None
            if before and before[3] and one[3] and before[1] // piece_us == one[1] // piece_us:
                together[-1] = [one[0], one[1], (before[2] or 0.0) + (one[2] or 0.0), True]
            else:
                together.append(one)
        return together


def _time(seconds: float, *beside_s: float) -> str:
    """In hours, which the sentence names; little as seconds, `0.105 s`."""
    if 0 < seconds < _SHORT_S:
        return f"{number(seconds, *beside_s)} s"
    return number(seconds / _S_PER_HOUR, *(one / _S_PER_HOUR for one in beside_s))
