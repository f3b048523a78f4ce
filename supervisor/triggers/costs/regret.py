"""What it has cost so far not to retrain: how long rows have waited, and mistakes that were not expected."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.timestamps import MICROSECONDS_PER_S
from supervisor.triggers.costs.new_rows import NewRows
from supervisor.triggers.policy import Answer, Batch, Question, State, StreamStart, Trigger
from supervisor.triggers.rules.rule import number

UNITS = {"latency": "row-seconds", "mistakes": "mistakes", "mistake_latency": "mistake-seconds"}
_LOW_BITS = 20
_DIGITS = 12  # .9 − .8 is a little less than .1 in binary
_METRIC = {"name": "accuracy", "label": "accuracy", "options": {}}


class Latency:
    """Σ over the rows since the newest trigger of (event time now − event time of the row), in row-seconds.

    That is the area under their number over event time. It is kept in whole row-microseconds, so that it does not
    depend on how rows are batched.
    """

    def __init__(self, start: StreamStart) -> None:
        self._start = start

    def begin(self) -> State:
        """No row has waited."""
        return {"rows": 0, "waited_us": 0, "at_us": self._start.event_time_us}

    def seen(self, batch: Batch, state: State) -> State:
        """With these rows, at the event time of the last of them. O(rows), without a loop."""
        end_us = int(batch.event_time_us[-1])
        waited_us = state["rows"] * (end_us - state["at_us"]) + _exact_sum(end_us - batch.event_time_us)
        rows = state["rows"] + len(batch.event_time_us)
        return {"rows": rows, "waited_us": state["waited_us"] + waited_us, "at_us": end_us}

    def fired(self, trigger: Trigger, rows: int, state: State) -> State:
        """Anew: `rows` were taken up. Of those seen one may lie behind the trigger, which is the last, and waits."""
        return {"rows": max(state["rows"] - rows, 0), "waited_us": 0, "at_us": state["at_us"]}

    def value(self, state: State) -> float:
        """Row-seconds."""
        return float(state["waited_us"] / MICROSECONDS_PER_S)


class Mistakes:
    """How many rows since the newest trigger the current model gets wrong, beyond those expected of it.

    Each row counts at the first look at which its label is known. A look at which the model is better than expected
    adds nothing, so that it does not make up for mistakes at others.
    """

    def __init__(self, expected: float | None, start: StreamStart) -> None:
        """`expected`: accuracy; None: the model's own on the held-out rows of its training stretch."""
        self._expected, self._start, self._rows = expected, start, NewRows(start)

    def begin(self) -> State:
        """Beside what `NewRows` has: mistakes so far, for how long they have waited, and up to when."""
        return {**self._rows.begin(), **_no_mistakes(self._start.event_time_us)}

    def question(self, key: int, timestamp_us: int, state: State) -> Question:
        """How good the model is on the rows since the newest trigger whose labels have come to be known."""
        options = self._rows.asked(key, _METRIC, state, expected=self._expected is None)
        return Question(key=key, timestamp_us=timestamp_us, detector="performance", options=options, needs_model=True)

    def heard(self, question: Question, answer: Answer, state: State) -> tuple[State | None, str]:
        """With what is known then, and what was heard in words; None: nothing is known.

        From one look to the next mistakes are taken to grow evenly.
        """
        expected = answer["expected"] if self._expected is None else self._expected
        score, rows = answer["score"], int(answer["n"])
        if score is None:
            undefined = f"accuracy is undefined: {answer['error']}"
            if answer["known"] == 0:
                return None, undefined
            same = answer["known"] == state["looked"]["known"]
            # A row that cannot be scored is passed over, or no later look would have a score.
            return self._more(0.0, question, answer, state), "no label has come to be known" if same else undefined
        if expected is None:
            return None, f"accuracy {number(score)} on {rows:,} rows, but no held-out row says what is expected"
        more = round(max(expected - score, 0.0) * rows, _DIGITS)
        said = f"accuracy {number(score, expected)} on {rows:,} rows, {number(expected, score)} expected"
        return self._more(more, question, answer, state), f"{number(more)} mistakes more: {said}"

    def _more(self, more: float, question: Question, answer: Answer, state: State) -> State:
        """With so many mistakes more than at the look before."""
        mistakes = round(state["mistakes"] + more, _DIGITS)
        passed_s = (question.timestamp_us - state["at_us"]) / MICROSECONDS_PER_S
        waited_s = state["waited_s"] + passed_s * (state["mistakes"] + mistakes) / 2
        now = {"mistakes": mistakes, "waited_s": waited_s, "at_us": question.timestamp_us}
        return {**state, **now, **self._rows.looked(question.key, answer)}

    def fired(self, trigger: Trigger, state: State) -> State:
        """Anew."""
        return {**self._rows.fired(trigger, state), **_no_mistakes(trigger.timestamp_us)}


def _no_mistakes(at_us: int) -> State:
    return {"mistakes": 0.0, "waited_s": 0.0, "at_us": at_us}


def _exact_sum(values: npt.NDArray[np.int64]) -> int:
    """The sum of numbers ≥ 0, also where it is beyond int64."""
    high, low = values >> _LOW_BITS, values & ((1 << _LOW_BITS) - 1)
    return (int(high.sum()) << _LOW_BITS) + int(low.sum())
