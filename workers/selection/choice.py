"""Whether what a strategy chose can be a training set: rows that it may choose, in key order, with usable weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from shared.errors import TrainingError
from shared.strategies.strategy import Keys, Weights

Mask = npt.NDArray[np.bool_]


def sound(
    pieces: Iterable[tuple[Keys, Weights]], may_choose: Callable[[Keys], Mask], *, who: str
) -> tuple[Keys, Weights]:
    """The whole of a choice: keys int64 (n,), which ascend (a key drawn m times stands m times), weights float32 (n,).

    `may_choose`: which of ascending keys may be chosen at all. Raises TrainingError that names `who` chose.
    """
    found = [(np.asarray(keys), np.asarray(weights)) for keys, weights in pieces]
    for keys, weights in found:
        if not np.issubdtype(keys.dtype, np.integer) or keys.ndim != 1:
            raise TrainingError(f"{who} chose keys of type {keys.dtype} and shape {keys.shape}; they are int64 (n,).")
        if weights.shape != keys.shape:
            raise TrainingError(f"{who} gave {len(keys)} keys weights of shape {weights.shape}; there is one a key.")
    keys = np.concatenate([np.empty(0, np.int64), *(keys.astype(np.int64, copy=False) for keys, _ in found)])
    weights = np.concatenate([np.empty(0, np.float32), *(w.astype(np.float32, copy=False) for _, w in found)])
    if not (finite := np.isfinite(weights)).all():
        raise TrainingError(f"{who} gave key {keys[~finite][0]} a weight that is not a finite number.")
    if (back := np.flatnonzero(keys[1:] < keys[:-1])).size:
        raise TrainingError(f"{who} chose key {keys[back[0] + 1]} after key {keys[back[0]]}; keys ascend.")
    if (strange := keys[~may_choose(keys)]).size:
        raise TrainingError(
            f"{who} chose {len(strange):,} rows that are not for training here, the first is key {strange[0]}: a "
            "training set is rows of the train split, up to its trigger's last."
        )
    return keys, weights
