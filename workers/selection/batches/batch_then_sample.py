"""Batch-then-sample: of each large batch the model scores all rows, and learns from some of them."""

from __future__ import annotations

import numpy as np
import torch

from shared.config.pipeline import Component
from shared.strategies.weighted_draws import UNIFORM, Places, Scores, Weights, largest, with_replacement
from workers.selection.batches.sampler import ModelSampler
from workers.selection.importance.measures import MEASURES
from workers.training.learner import Learner

_SEEDS = 2**63
_HOW = ("proportional", "largest")


class BatchThenSample:
    """Importance sampling within a batch: Katharopoulos and Fleuret (ICML 2018).

    The rows of a batch are scored in one forward pass, and a `share` of them is learned from. `proportional` draws with
    replacement in proportion to the scores, a tenth of the draws as likely for all, and weighs a row by 1/(n·p): the
    batch's mean of weight × gradient estimates that of all n rows without bias. `largest` takes those of the largest
    scores with weight 1: that is *biased*, and the form in which RHO-LOSS chooses (Mindermann et al., ICML 2022).
    """

    def __init__(self, *, measure: str, share: float, how: str, seed: int) -> None:
        """`measure`: what a row's score is, one of MEASURES. Raises ValueError."""
        if measure not in MEASURES or MEASURES[measure].holdout:
            usable = ", ".join(name for name, one in MEASURES.items() if not one.holdout)
            raise ValueError(f"measure is {measure!r}; batches are sampled by {usable}")
        if how not in _HOW:
            raise ValueError(f"how is {how!r}; it is {' or '.join(_HOW)}")
        if not 0 < share <= 1:
            raise ValueError(f"share is {share}; a share above 0, at most 1, of a batch is learned from")
        self.measure, self.share, self.weighs = measure, share, how == "proportional"
        self._seed = seed % _SEEDS

    def sampler(self, learner: Learner, loss: Component, device: torch.device) -> ModelSampler:
        """As BatchRule."""
        return ModelSampler(self.measure, self.drawn, learner, loss, device)

    def drawn(self, scores: Scores, epoch: int, batch: int, fewest: int = 1) -> tuple[Places, Weights | None]:
        """Places of a batch's rows (n,) → (k,), and their weights (k,), or None where all are 1.

        k is the share of n, `fewest` at least. What is drawn follows from scores, seed, epoch and batch, both from 0.
        Raises ValueError for scores that are no numbers.
        """
        k = min(max(fewest, round(self.share * len(scores))), len(scores))
        if not self.weighs:
            return largest(scores, k)[0], None
        seed = np.random.SeedSequence([self._seed, epoch, batch]).generate_state(1, np.uint64)[0]
        return with_replacement(scores, k, int(seed), UNIFORM)
