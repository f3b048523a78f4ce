"""The rows that a training learns from, as its training set names them: never all at once where they are many."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from workers.features.columns import Keys
from workers.features.source import SampleSource

Weights = npt.NDArray[np.float32]


class ChosenRows(Protocol):
    """A training set: `shared.training_set.TrainingSetFile` is one."""

    @property
    def rows(self) -> int:
        """How many there are; a key that was drawn several times stands several times."""

    @property
    def all_weigh_one(self) -> bool:
        """Whether no row has another weight."""

    def pieces(self) -> Iterator[tuple[Keys, Weights]]:
        """Keys, ascending, and weights of some rows, then of the next, (n,) both; from the beginning each time."""


class EqualRows:
    """Rows that all weigh one, and are no training set; keys, ascending, each once."""

    all_weigh_one = True

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    @property
    def rows(self) -> int:
        """As ChosenRows."""
        return len(self._keys)

    def pieces(self) -> Iterator[tuple[Keys, Weights]]:
        """As ChosenRows: all at once."""
        yield self._keys, np.ones(len(self._keys), np.float32)


@dataclass(frozen=True, kw_only=True)
class TrainingRows:
    """What is learned from: the rows of a training set."""

    dataset: SampleSource
    chosen: ChosenRows

    def __len__(self) -> int:
        return self.chosen.rows

    @cached_property
    def digest(self) -> bytes:
        """A hash of keys and weights, each by itself, however they come in pieces."""
        return self._looked_through[0]

    @cached_property
    def last_key(self) -> int:
        """The largest one."""
        return self._looked_through[1]

    @cached_property
    def _looked_through(self) -> tuple[bytes, int]:
        of_keys, of_weights, last = hashlib.sha256(), hashlib.sha256(), -1
        for keys, weights in self.chosen.pieces():
            of_keys.update(np.ascontiguousarray(keys).data)
            of_weights.update(np.ascontiguousarray(weights).data)
            last = int(keys[-1]) if len(keys) else last
        return of_keys.digest() + of_weights.digest(), last

    def __iter__(self) -> Iterator[Keys]:
        """The keys, piece by piece; none is empty."""
        return (keys for keys, _ in self.chosen.pieces() if len(keys))

    def keys(self) -> Keys:
        """All of them, (rows,)."""
        return np.concatenate([np.empty(0, np.int64), *self])

    def weights(self) -> Weights:
        """All of them, (rows,)."""
        return np.concatenate([np.empty(0, np.float32), *(weights for _, weights in self.chosen.pieces())])
