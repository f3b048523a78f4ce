"""Rows drawn by their scores: as often as these say, with weights that make up for it; or the largest ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float64]

# The usual `uniform`: no weight is above 10; a ninth more of mean square is paid for that where the scores are right.
UNIFORM = 0.1

_SEEDS = 2**63


def with_replacement(scores: Scores, k: int, seed: int, uniform: float = 0.0) -> tuple[Places, Weights]:
    """k draws, each of row i with probability p = (1 − u)·score/Σ scores + u/n: (n,) → places (k,), weights (k,).

    Places ascend; one that was drawn m times stands m times. A weight is 1/(n·p), so that the mean over the k lines of
    weight × gradient estimates the mean gradient of the n rows without bias (Katharopoulos and Fleuret, ICML 2018; with
    scores in proportion to the gradients' norms its variance is least).

    u is `uniform`, the share of draws for which all rows are as likely. Above 0 every row may be drawn, and no weight
    is above 1/u. It costs little where the scores are right: the estimate's mean square is at most 1/(1 − u) times that
    without.

    With u = 0 a row of score 0 is never drawn. That is right where its gradient is 0 too, as a rule under `loss` and
    `gradient_norm` (though a row that enters the last layer as 0 still moves its bias); under the other measures a row
    that the model is surely wrong about may score 0, and the estimate lacks it. Where all scores are 0, all rows are as
    likely.

    Chances are as exact as a running sum in float64. O(n + k·log(n)) operations, memory O(n + k). Raises ValueError
    for scores below 0, such as those of `rho_loss`, and for a share outside of 0 to 1.
    """
    scores = _usable(scores, k)
    if not 0 <= uniform <= 1:
        raise ValueError(f"uniform is {uniform}; it is a share of the draws, 0 to 1")
    if (below := np.flatnonzero(scores < 0)).size:
        raise ValueError(
            f"the score at {below[0]} is {scores[below[0]]}; what is drawn in proportion has scores from 0 on: take "
            "the largest of these instead"
        )
    greatest = scores.max()
    shares = scores / greatest if greatest > 0 else np.ones(len(scores))  # their sum is finite, and not subnormal
    if uniform:
        shares = (1 - uniform) * shares + uniform * shares.mean()
    sums = np.cumsum(shares)
    points = 1 - np.random.Generator(np.random.PCG64(seed % _SEEDS)).random(k)  # above 0, so none is drawn of score 0
    places = np.searchsorted(sums, np.sort(points) * sums[-1]).astype(np.int64, copy=False)
    return places, sums[-1] / len(scores) / shares[places]


def largest(scores: Scores, k: int) -> tuple[Places, Weights]:
    """The k rows of the largest scores, all if there are fewer: (n,) → places, ascending, and weights of 1.

    Of equal ones the smallest places. It is *biased*: the gradient of these rows is not that of all, and no weights
    would make it so, as the other rows are never drawn. O(n) operations. Raises ValueError.
    """
    scores = _usable(scores, k)
    if k >= len(scores):
        places = np.arange(len(scores))
    else:
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        above = np.flatnonzero(scores > least)
        places = np.sort(np.concatenate([above, np.flatnonzero(scores == least)[: k - len(above)]]))
    return places, np.ones(len(places))


def _usable(scores: Scores, k: int) -> Scores:
    """Scores as they must be, float64. Raises ValueError."""
    scores = np.asarray(scores, np.float64)
    if scores.ndim != 1 or len(scores) == 0:
        raise ValueError(f"scores have shape {scores.shape}; there is one a row, (n,), and one row at least")
    if (strange := np.flatnonzero(~np.isfinite(scores))).size:
        raise ValueError(f"the score at {strange[0]} is {scores[strange[0]]}; a score is a finite number")
    if k < 1:
        raise ValueError(f"k is {k}; 1 row or more is drawn")
    return scores
