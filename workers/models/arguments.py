"""Checks that the built-in models make of their arguments; the messages end up in findings."""

from __future__ import annotations


def at_least_one(name: str, value: object) -> int:
    """The whole number ≥ 1 it is. Raises TypeError or ValueError naming the argument."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number, {value!r} is none")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, {value} is not")
    return value


def share(name: str, value: object) -> float:
    """The number from 0 to below 1 it is. Raises TypeError or ValueError naming the argument."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number, {value!r} is none")
    if not 0 <= value < 1:
        raise ValueError(f"{name} must be from 0 to below 1, {value} is not")
    return float(value)
