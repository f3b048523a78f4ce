"""Decision rules: does a value ask for a retraining? Each is fed one value after the other, and says why or why not."""

from __future__ import annotations

import hashlib
import math
from fractions import Fraction
from typing import ClassVar

from shared.errors import ConfigurationError
from supervisor.triggers.rules.held_back import CoolDown, Hysteresis, WarmUp
from supervisor.triggers.rules.rule import UNDEFINED, Direction, Rule, State, Verdict, number

__all__ = ["CoolDown", "Hysteresis", "PValue", "Quantile", "RollingAverage", "Rule", "Threshold", "WarmUp"]


class Threshold(Rule):
    """The value reaches a bound."""

    def __init__(self, threshold: float, *, direction: Direction = "above") -> None:
        """`threshold`: a number in the statistic's unit, which just fires; `below`: small values fire."""
        super().__init__()
        if not math.isfinite(threshold):
            raise ConfigurationError(f"the threshold is {threshold}; it must be a number")
        self._threshold, self._sign = threshold, _sign(direction)

    def _judged(self, value: float, p_value: float | None) -> Verdict:
        fires = self._sign * value >= self._sign * self._threshold
        compared = ("≥" if fires else "<") if self._sign > 0 else ("≤" if fires else ">")
        reason = f"{number(value, self._threshold)} {compared} {number(self._threshold, value)}"
        return Verdict(fires=fires, reason=reason)


class PValue(Rule):
    """The value is improbable where nothing changed: fires on a share `alpha` of noise."""

    def __init__(self, alpha: float) -> None:
        super().__init__()
        if not 0 < alpha < 1:
            raise ConfigurationError(f"alpha of the p_value rule is {alpha}; it must be between 0 and 1, such as 0.05")
        self._alpha = alpha

    def _judged(self, value: float, p_value: float | None) -> Verdict:
        if p_value is None:
            raise ConfigurationError(
                "the p_value rule was given a statistic without a p-value; "
                "decide by threshold, quantile or rolling_average, or take mmd, ks, cvm or classifier_two_sample"
            )
        if math.isnan(p_value):
            return UNDEFINED
        fires = p_value <= self._alpha
        compared = f"{number(p_value, self._alpha)} {'≤' if fires else '>'} {number(self._alpha, p_value)}"
        return Verdict(fires=fires, reason=f"{number(value)} with p {compared}")


class _Remembering(Rule):
    """The base of those that compare a value with the `window` values before it. Until those are there none fires."""

    forgotten: ClassVar[State] = {"before": []}

    def __init__(self, window: int) -> None:
        super().__init__()
        self._window = window

    @property
    def _before(self) -> list[float]:
        return self._memory["before"]  # type: ignore[no-any-return]

    def _judged(self, value: float, p_value: float | None) -> Verdict:
        if len(self._before) < self._window:
            reason = f"{number(value)} after {len(self._before)} of the {self._window} values that it is compared with"
            verdict = Verdict(fires=False, reason=reason)
        else:
            verdict = self._compared(value)
        self._memory["before"] = [*self._before, value][-self._window :]
        return verdict

    def _compared(self, value: float) -> Verdict:
        raise NotImplementedError


class Quantile(_Remembering):
    """The value is among the share `q` of largest ones, of itself and the `window` values before it.

    On noise, values that come in no order, it fires on a share q of them, not more and not less: of w + 1 the q·(w + 1)
    largest fire. Where that is no whole number, and where values are equal, a lot decides that has the missing chance;
    it depends on `seed` and on how many values there were. A value that equals all before it never fires.
    """

    lasting: ClassVar[State] = {"judgements": 0}

    def __init__(self, q: float, window: int, *, direction: Direction = "above", seed: int = 0) -> None:
        """Raises ConfigurationError for windows too short: w < 1/q − 1, where the largest of all is not rare enough."""
        super().__init__(window)
        if not 0 < q < 1:
            raise ConfigurationError(f"q of the quantile rule is {q}; it must be between 0 and 1, such as 0.05")
        self._q = Fraction(repr(float(q)))  # 0.05 is a twentieth, not what is nearest in binary
        self._firing = self._q * (window + 1)
        if self._firing < 1:
            raise ConfigurationError(
                f"the quantile rule has a window of {window} values, too short for q {q}: even the largest of "
                f"{window + 1} is no rarer than 1 in {window + 1}; set window to {math.ceil(1 / self._q) - 1} or more"
            )
        self._sign, self._seed = _sign(direction), seed

    def _judged(self, value: float, p_value: float | None) -> Verdict:
        self._memory["judgements"] += 1
        return super()._judged(value, p_value)

    def _compared(self, value: float) -> Verdict:
        beyond = sum(self._sign * one > self._sign * value for one in self._before)
        equal = self._before.count(value)
        if equal == self._window:
            return Verdict(fires=False, reason=f"{number(value)} equals all {equal} values before it")
        chance = min(max((self._firing - beyond) / (equal + 1), Fraction(0)), Fraction(1))
        fires = _lot(self._seed, self._memory["judgements"]) < chance
        side, size = ("above", "largest") if self._sign > 0 else ("below", "smallest")
        reason = f"{number(value)} with {beyond} of the {self._window} values before it {side} it: "
        reason += f"{'' if fires else 'not '}among the {size} {100 * float(self._q):g} %"
        reason += f", by lot at {float(chance):.0%}" if 0 < chance < 1 else ""
        return Verdict(fires=fires, reason=reason)


class RollingAverage(_Remembering):
    """The value is further from the mean of the `window` values before it than they say it should be."""

    def __init__(
        self, deviation: float, window: int, *, relative: bool = False, direction: Direction = "above"
    ) -> None:
        """`deviation`: how far from the mean just fires, in the statistic's unit, or, `relative`, as its share."""
        super().__init__(window)
        if window < 1:
            raise ConfigurationError(f"the rolling_average rule has a window of {window} values; it must be 1 or more")
        if not 0 <= deviation < math.inf:
            raise ConfigurationError(f"deviation of the rolling_average rule is {deviation}; it must be 0 or more")
        self._deviation, self._relative, self._sign = deviation, relative, _sign(direction)

    def _compared(self, value: float) -> Verdict:
        mean = math.fsum(one / self._window for one in self._before)
        limit = self._deviation * (abs(mean) if self._relative else 1)
        away = self._sign * (value - mean)
        # .8 − .79 is a little more than .01 in binary.
        fires = away > 0 and (away >= limit or math.isclose(away, limit, rel_tol=1e-9))
        side = "above" if away * self._sign > 0 else "below"
        reason = (
            f"{number(value, mean)} is {number(abs(away), limit)} {side} the mean {number(mean, value)} of the "
            f"{self._window} before it, {number(limit, abs(away))} {'above' if self._sign > 0 else 'below'} fires"
        )
        return Verdict(fires=fires, reason=reason)


def _sign(direction: Direction) -> int:
    if direction not in ("above", "below"):
        raise ConfigurationError(f"the direction of a decision rule is {direction!r}; it is above or below")
    return 1 if direction == "above" else -1


def _lot(seed: int, judgement: int) -> Fraction:
    """A number from 0 to below 1, uniform over judgements, the same wherever and whenever it is drawn."""
    digest = hashlib.sha256(f"{seed} {judgement}".encode()).digest()
    return Fraction(int.from_bytes(digest[:8]), 2**64)
