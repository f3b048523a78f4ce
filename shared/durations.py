"""Durations as the YAML files write them: `<number><s|m|h|d|w>`."""

from __future__ import annotations

import re

_SECONDS_PER_UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")


def parse_duration_s(text: str) -> float:
    """Seconds in a duration such as `7d`; raises ValueError with the remedy for anything else."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a duration; write a number and one of s, m, h, d, w, such as 30s or 7d")
    return float(match[1]) * _SECONDS_PER_UNIT[match[2]]
