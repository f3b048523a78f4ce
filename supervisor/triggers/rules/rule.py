"""What a decision rule is: one value after the other goes in, and whether to retrain comes out, with its reason."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

import msgspec

Direction = Literal["above", "below"]
State = dict[str, Any]  # what JSON can hold

_LARGEST = 1e300  # in JSON there is no infinity, and sums of these are still numbers


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule made of a value."""

    fires: bool
    reason: str  # words and numbers, also of what nearly fired; it goes on where the name of the statistic ends
    defined: bool = True  # whether there was a value to judge


UNDEFINED = Verdict(fires=False, reason="is undefined", defined=False)


class Rule:
    """The base of all. What it decides depends on its options and on what it was fed, in that order, alone."""

    forgotten: ClassVar[State] = {}  # its memory, as it is at first and after a reset
    lasting: ClassVar[State] = {}  # its memory that no reset clears, as it is at first
    last = Verdict(fires=False, reason="was not judged yet", defined=False)

    def __init__(self) -> None:
        self._memory: State = {**self.forgotten, **self.lasting}  # values are replaced, never changed

    def fires(self, value: float | None, p_value: float | None = None) -> bool:
        """Whether this value asks for a retraining; `last` then says why. No value (None, NaN) never does.

        `p_value`: how likely a value like this is where nothing changed; None where the statistic gives none.
        """
        self.last = UNDEFINED if value is None or math.isnan(value) else self._judged(_finite(value), p_value)
        return self.last.fires

    def _judged(self, value: float, p_value: float | None) -> Verdict:
        raise NotImplementedError

    @property
    def state(self) -> State:
        """What it remembers, for the journal: a rule with the same options that is given it goes on as this one."""
        return dict(self._memory)

    def restore(self, state: State) -> None:
        """Go on from what `state` was."""
        self._memory = dict(state)

    def reset(self) -> None:
        """Forget values that later ones cannot be compared with: those of another model, or another reference."""
        self._memory |= self.forgotten


def number(value: float, *beside: float) -> str:
    """Three digits, or all of them where three would hide a difference from a number that stands beside it."""
    short = f"{value:.3g}"
    return repr(value) if any(value != other and short == f"{other:.3g}" for other in beside) else short


def _finite(value: float) -> float:
    return min(max(float(value), -_LARGEST), _LARGEST)
