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


def format_duration(seconds: float) -> str:
    """The shortest text that reads back as this many seconds, such as `7d` for 604800 × 1."""
    for unit in ("w", "d", "h", "m"):
        if seconds and seconds % _SECONDS_PER_UNIT[unit] == 0:
            return f"{int(seconds // _SECONDS_PER_UNIT[unit])}{unit}"
    return f"{seconds:g}s"
