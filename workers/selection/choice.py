"""Whether what a strategy chose can be a training set: rows that it may choose, in key order, with usable weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import numpy.typing as npt

from shared.dataset.table import ROWS_AT_ONCE
from shared.errors import TrainingError
from shared.strategies.strategy import Keys, Weights

Mask = npt.NDArray[np.bool_]


def sound(
    pieces: Iterable[tuple[Keys, Weights]], may_choose: Callable[[Keys], Mask], *, who: str
) -> Iterator[tuple[Keys, Weights]]:
    """A choice, piece by piece as it comes: keys int64 (n,), which ascend over all of them (a key drawn m times stands
    m times), weights float32 (n,). Rows that weigh nothing are left out.

    `may_choose`: which of ascending keys may be chosen at all. Raises TrainingError that names `who` chose.
    """
    last_key = np.empty(0, np.int64)
    for keys, weights in _cut(pieces, who):
        before = np.concatenate([last_key, keys])
        if (back := np.flatnonzero(before[1:] < before[:-1])).size:
            raise TrainingError(f"{who} chose key {before[back[0] + 1]} after key {before[back[0]]}; keys ascend.")
        if (strange := keys[~may_choose(keys)]).size:
            raise TrainingError(
                f"{who} chose rows that are not for training here, the first is key {strange[0]}: a training set is "
                "rows of the train split, up to its trigger's last."
            )
        last_key = keys[-1:]
        yield _weighty(keys, weights, who)


def _cut(pieces: Iterable[tuple[Keys, Weights]], who: str) -> Iterator[tuple[Keys, Weights]]:
    """The same rows, some at a time, in their types."""
    for keys, weights in pieces:
        keys, weights = np.asarray(keys), np.asarray(weights)
        if not np.issubdtype(keys.dtype, np.integer) or keys.ndim != 1:
            raise TrainingError(f"{who} chose keys of type {keys.dtype} and shape {keys.shape}; they are int64 (n,).")
        if weights.shape != keys.shape:
            raise TrainingError(f"{who} gave {len(keys)} keys weights of shape {weights.shape}; there is one a key.")
        for start in range(0, len(keys), ROWS_AT_ONCE):
            some = slice(start, start + ROWS_AT_ONCE)
            with np.errstate(over="ignore"):
                yield keys[some].astype(np.int64, copy=False), weights[some].astype(np.float32, copy=False)


def _weighty(keys: Keys, weights: Weights, who: str) -> tuple[Keys, Weights]:
    """Those whose weight is above 0. Raises TrainingError for one below, or that is no number."""
    usable = np.isfinite(weights) & (weights >= 0)
    if not usable.all():
        at = int(usable.argmin())
        raise TrainingError(
            f"{who} gave key {keys[at]} the weight {weights[at]:g}; a weight is a finite number above 0, and one of 0 "
            "leaves its row out."
        )
    weighty = weights > 0
    return (keys, weights) if weighty.all() else (keys[weighty], weights[weighty])
