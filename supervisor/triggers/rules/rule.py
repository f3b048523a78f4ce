"""What a decision rule is: one value after the other goes in, and whether to retrain comes out, with its reason."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import msgspec

Direction = Literal["above", "below"]
State = dict[str, Any]  # what JSON can hold

_DIGITS = 17  # no two floats are alike in so many
_THOUSAND = 999.5  # what is shown as 1,000
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
    """Three digits, or as many more as tell it from the numbers that stand beside it."""
    others = [other for other in beside if other != value]
    told = (f"{value:.{digits}g}" for digits in range(3, _DIGITS + 1) if _tells(f".{digits}g", value, others))
    return next(told, repr(value))


def _tells(form: str, value: float, others: Sequence[float]) -> bool:
    return all(format(value, form) != format(other, form) for other in others)


def amount(value: float, *beside: float) -> str:
    """The same of what may be large: from a thousand on no fractions, or as many digits of them as tell it apart."""
    if value < _THOUSAND:
        return number(value, *beside)
    others = [other for other in beside if other != value]
    told = (f"{value:,.{digits}f}" for digits in range(_DIGITS) if _tells(f",.{digits}f", value, others))
    return next(told, repr(value))


def _finite(value: float) -> float:
    return min(max(float(value), -_LARGEST), _LARGEST)
