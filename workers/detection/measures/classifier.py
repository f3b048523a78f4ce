"""Classifier two-sample test: whether a model can tell the two windows apart."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from scipy import stats

from shared.errors import ConfigurationError
from workers.detection.measures.logistic import Logistic
from workers.detection.measures.windows import Rows, windows
from workers.going_on import GoOn, unheard

_FOLDS = 5
_C = 1.0
_SEEDS = 2**32  # MT19937 takes so many


def classifier_two_sample(
    reference: npt.ArrayLike, current: npt.ArrayLike, *, seed: int = 0, go_on: GoOn = unheard
) -> tuple[float, float]:
    """How well logistic regression tells rows that it has not seen: ROC-AUC, .5 where nothing changed, and its p.

    (n, d), (m, d), at least 5 rows each. Five folds, stratified, shuffled by the seed; features standardised by the
    rows that a fold is trained on; L2 with C = 1. AUC is that of all held-out scores together, p is one-sided
    (Lopez-Paz and Oquab, ICLR 2017; Mann and Whitney, 1947). `go_on` is called with each of the many steps. Raises
    DataError, and ConfigurationError for the seed.
    """
    if not 0 <= seed < _SEEDS:
        raise ConfigurationError(f"the seed of classifier_two_sample is {seed}; it must be from 0 to {_SEEDS - 1}")
    x, y = windows(reference, current, least=_FOLDS)
    rows, is_current = np.concatenate([x, y]), np.arange(len(x) + len(y)) >= len(x)
    folds, scores = _folds(len(x), len(y), seed), np.empty(len(rows))
    for fold in range(_FOLDS):
        scores[folds == fold] = _held_out(rows, is_current, folds == fold, go_on)
    found = stats.mannwhitneyu(scores[is_current], scores[~is_current], alternative="greater")
    return float(found.statistic) / (len(x) * len(y)), float(found.pvalue)


def _folds(n: int, m: int, seed: int) -> npt.NDArray[np.int64]:
    """The fold of each row, (n + m,): those that scikit-learn's StratifiedKFold has for the seed.

    Rows in the order of their windows go to the folds in turn, which settles how many of a window each gets; who goes
    where is shuffled, the reference first. MT19937's old interface, as numpy promises its numbers for ever.
    """
    generator, turns = np.random.RandomState(seed), np.arange(n + m) % _FOLDS
    folds = [np.sort(turns[:n]), np.sort(turns[n:])]
    for one in folds:
        generator.shuffle(one)
    return np.concatenate(folds)


def _held_out(
    rows: Rows, is_current: npt.NDArray[np.bool_], held_out: npt.NDArray[np.bool_], go_on: GoOn
) -> npt.NDArray[np.float64]:
    """Scores of the rows that are held out, by a model of the others."""
    seen = torch.from_numpy(rows[~held_out])
    middle, scale = scale_of(seen)
    model = Logistic((seen - middle) / scale, torch.from_numpy(is_current[~held_out]), _C, go_on)
    return model.margins((torch.from_numpy(rows[held_out]) - middle) / scale).numpy()


def scale_of(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and deviation of each feature, float64 (n, d) → (d,), (d,); 1 where it has one value.

    Such a feature tells nothing; what is left of it is the rounding of its mean.
    """
    middle = rows.mean(dim=0)
    scale = (rows - middle).square().mean(dim=0).sqrt()
    varies = scale > len(rows) * torch.finfo(torch.float64).eps * middle.abs()
    return middle, torch.where(varies, scale, torch.ones_like(scale))
