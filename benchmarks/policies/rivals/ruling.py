"""What a rival decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from benchmarks.policies.matrix import Matrix


class Ruling(NamedTuple):
    """When it retrains, and with which parameters."""

    switches: tuple[int, ...]  # windows at whose beginning the newest model takes over, ascending
    parameters: Mapping[str, float | str | None]


# (matrix, price of a training, windows that may be learned from)
Rival = Callable[[Matrix, float, int], Ruling]
