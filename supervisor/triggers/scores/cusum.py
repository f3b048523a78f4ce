"""Rule `cusum` of policy performance: how much worse than expected scores have been, summed row by row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from supervisor.triggers.rules.rule import State

HELD_OUT = "held_out"
_DIGITS = 12  # .88 − .83 is a little more than .05 in binary
_NUMBER = f.Number("")


class ExpectedField(f.Sentence):
    """`held_out`, a score, or `{looks: N}`."""

    kind = "held_out | number | {looks: N}"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if value == HELD_OUT:
            return value
        if isinstance(value, dict) and list(value) == ["looks"]:
            return {"looks": f.Whole("").deserialize(value["looks"])}
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return _NUMBER.deserialize(value)
        raise ValidationError(f"{f.quoted(value)} says no score that is expected; write {self.kind}.")


class Cusum:
    """The one-sided cumulative sum of Page (Continuous inspection schemes, Biometrika 1954).

    A look over n rows adds n · (how much worse the score was than expected − slack); the sum does not fall below 0. A
    row counts once. State: `sum`; `first`, of the looks that say what is expected: [how many, rows, score · rows].
    """

    def __init__(self, decide: Mapping[str, Any]) -> None:
        """`decide`: as `DecideOnScores` loads it."""
        self._slack: float = decide["slack"]
        self._expected: float | str | dict[str, int] = decide["expected"]
        self.compares = self._expected == HELD_OUT  # with what the model scored on held-out rows

    @staticmethod
    def begin() -> State:
        """After a trigger, and at first."""
        return {"sum": 0.0, "first": [0, 0, 0.0]}

    def learns(self, state: State) -> bool:
        """Whether the next look says what is expected, and is not judged."""
        return isinstance(self._expected, dict) and int(state["first"][0]) < self._expected["looks"]

    def learned(self, score: float, rows: int, state: State) -> tuple[str, State]:
        """The look that it is, in words, and the state with it."""
        looks, seen, total = state["first"]
        assert isinstance(self._expected, dict)
        told = f"look {looks + 1} of {self._expected['looks']} that say what is expected"
        return told, {**state, "first": [looks + 1, seen + rows, total + score * rows]}

    def expected(self, held_out: float | None, state: State) -> float:
        """The score that is; `held_out`: what the model scored there, where it is compared with that."""
        if self.compares:
            assert held_out is not None, "nothing is judged before it is known"
            return held_out
        if isinstance(self._expected, dict):
            _, rows, total = state["first"]
            return float(round(total / max(rows, 1), _DIGITS))
        assert isinstance(self._expected, float)
        return self._expected

    def added(self, worse: float, rows: int, state: State) -> tuple[float, float, State]:
        """The sum, what this look has added to it before it was kept at 0, and the state then.

        `worse`: how much worse the score on these rows was than expected, in the metric's unit.
        """
        more = round((worse - self._slack) * rows, _DIGITS)
        total = max(round(state["sum"] + more, _DIGITS), 0.0)
        return total, more, {**state, "sum": total}
