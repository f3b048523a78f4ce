"""What a rule per batch is asked: of a large batch it takes the rows that are learned from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch

from shared.config.pipeline import Component
from workers.training.learner import Learner
from workers.training.rows.batch import Batch


class Sampler(Protocol):
    """A rule per batch, and the model that it asks."""

    def chosen(self, batch: Batch, epoch: int, number: int) -> Batch:
        """What is learned from, of batch `number` of an epoch, both from 0: of these alone, and of the model now.

        Raises TrainingError.
        """


class BatchRule(Protocol):
    """Decides for one batch after the other."""

    @property
    def share(self) -> float:
        """Of the rows of a batch, above 0 and at most 1, that is learned from."""

    @property
    def weighs(self) -> bool:
        """Whether it gives them weights."""

    def sampler(self, learner: Learner, loss: Component, device: torch.device) -> Sampler:
        """For this model, trained under this loss. Raises ConfigurationError where it is not for such a one."""


BatchRuleKind = Callable[..., BatchRule]  # takes the options of a TrainingRule by name; raises TypeError, ValueError
