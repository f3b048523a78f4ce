"""What it costs to keep the current model: errors on the rows of a look, times what one error costs."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from shared.config.pipeline import Price
from shared.plugins import METRICS
from shared.words import counted
from supervisor.triggers.costs.new_rows import NewRows
from supervisor.triggers.policy import Answer, Question, State, StreamStart, Trigger
from supervisor.triggers.rules.rule import amount

Over = Literal["zero", "expected"]
_DIGITS = 12  # 1 − .9 is a little less than .1 in binary


class Staleness:
    """The staleness cost of CARA (Mahadevan and Mathioudakis, Knowledge-Based Systems 2024), on the newest labels.

    The loss of a row is how far the metric is from its best. Each row counts at the first look at which its label is
    known. State: that of `NewRows`.
    """

    def __init__(self, price: Price, over: Over, start: StreamStart) -> None:
        """`over`: what is no error: none (zero), or what was expected of this model by held-out rows (expected)."""
        self._price, self._over, self._rows = price, over, NewRows(start)
        self._metric: dict[str, Any] = msgspec.to_builtins(price.metric)
        best: float | None = METRICS[price.metric.name].best
        assert best is not None, "a price without one is refused"
        self._best = best

    def begin(self) -> State:
        """No look yet."""
        return self._rows.begin()

    def question(self, key: int, timestamp_us: int, state: State) -> Question:
        """How good the model is on the rows since the newest trigger whose labels have come to be known."""
        options = self._rows.asked(key, self._metric, state, expected=self._over == "expected")
        return Question(key=key, timestamp_us=timestamp_us, detector="performance", options=options, needs_model=True)

    def heard(self, question: Question, answer: Answer, state: State) -> tuple[float | None, str, State]:
        """What the look's errors cost, in words too, and the state then; None: it cannot be told."""
        label, score, rows, expected = self._price.metric.label, answer["score"], int(answer["n"]), answer["expected"]
        if score is None:
            if answer["known"] == 0 or answer["known"] == state["looked"]["known"]:
                return None, "no label has come to be known", state
            # A row that cannot be scored is passed over, or no later look would have a score.
            return (
                None,
                f"{label} is undefined: {answer['error']}",
                {**state, **self._rows.looked(question.key, answer)},
            )
        # A model that no held-out row tells of is one of few rows: were nothing counted, it would stay for ever.
        usual = self._errors(expected, rows) if self._over == "expected" and expected is not None else 0.0
        errors = round(self._errors(score, rows) - usual, _DIGITS)
        all_of_them = round(errors + usual, _DIGITS)
        said = f"{amount(all_of_them)} error{'' if all_of_them == 1 else 's'} on {counted(rows, 'row')}"
        if self._over == "expected":
            no_row = ", and no held-out row says how many are expected"
            said += no_row if expected is None else f", {amount(usual)} expected of them"
        return errors * self._price.error, said, {**state, **self._rows.looked(question.key, answer)}

    def _errors(self, score: float, rows: int) -> float:
        return abs(self._best - score) * rows

    def fired(self, trigger: Trigger, state: State) -> State:
        """Rows behind it count from now on."""
        return {**state, **self._rows.fired(trigger, state)}
