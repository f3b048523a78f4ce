"""How long something lasted, in words of a table."""

from __future__ import annotations

_MIN_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


def span_in_words(seconds: float) -> str:
    """Such as `0.8 s`, `42 s`, `3 min 5 s`, `2 h 7 min`, `3 d 4 h`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MIN_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return f"{whole // _MIN_S} min {whole % _MIN_S} s"
    if whole < _DAY_S:
        return f"{whole // _HOUR_S} h {whole % _HOUR_S // _MIN_S} min"
    return f"{whole // _DAY_S} d {whole % _DAY_S // _HOUR_S} h"
