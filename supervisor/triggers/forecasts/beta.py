"""The Beta distribution, by its mean and variance: its distribution function and its quantiles.

Without scipy, which only workers have.
"""

from __future__ import annotations

import math

_MOST_ROUNDS = 1_000  # of the fraction: it takes about √(a + b)
_MOST_HALVINGS = 100
_TINY = 1e-300
_EXACT = 1e-15
_NEAR = 1e-12


def parameters(mean: float, variance: float) -> tuple[float, float]:
    """(a, b) of the Beta with this mean, between 0 and 1, and this variance, above 0 and below mean · (1 − mean)."""
    if not 0 < mean < 1 or not 0 < variance < mean * (1 - mean):
        raise ValueError(f"no Beta has mean {mean} and variance {variance}")
    strength = mean * (1 - mean) / variance - 1
    return mean * strength, (1 - mean) * strength


def quantile(share: float, a: float, b: float) -> float:
    """The x at which `below(x, a, b)` is `share`, 0 to 1: Newton's steps, kept between bounds that are halved."""
    low, high, x = 0.0, 1.0, a / (a + b)
    for _ in range(_MOST_HALVINGS):
        away = below(x, a, b) - share
        low, high = (low, x) if away > 0 else (x, high)
        if away == 0 or high - low <= _EXACT * high:
            break
        density = math.exp(_log_power(x, a - 1, b - 1) - _log_beta(a, b)) if 0 < x < 1 else 0.0
        step = x - away / density if density > _TINY else low
        x, last = step if low < step < high else (low + high) / 2, x
        if abs(x - last) <= _NEAR * x:
            break
    return x


def below(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function: how likely a value up to x is, for a and b above 0.

    By Lentz's method on its continued fraction (Abramowitz and Stegun 26.5.8), on the side on which that converges.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1.0 - below(1 - x, b, a)
    front = math.exp(_log_power(x, a, b) - _log_beta(a, b)) / a
    return front / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """1 + d₁/(1 + d₂/(1 + …))."""
    value, c, d = 1.0, 1.0, 0.0
    for round_ in range(1, _MOST_ROUNDS):
        m = round_ // 2
        if round_ % 2:
            part = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            part = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1.0 / _not_zero(1.0 + part * d)
        c = _not_zero(1.0 + part / c)
        value *= c * d
        if abs(c * d - 1.0) <= _EXACT:
            break
    return value


def _log_power(x: float, a: float, b: float) -> float:
    """The logarithm of x^a · (1 − x)^b."""
    return a * math.log(x) + b * math.log1p(-x)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
