"""Scores the rows of a large batch by the model that learns, and takes those that are learned from."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import numpy as np
import torch

from shared.config.pipeline import Component
from shared.errors import TrainingError
from shared.strategies.weighted_draws import Places, Scores, Weights
from workers.models.embedding import LastInput
from workers.selection.importance.measures import MEASURES, refuse_numbers
from workers.selection.row_loss import RowLoss
from workers.selection.seen import Seen, refuse_more_layers
from workers.training.learner import Learner
from workers.training.randomness import uses_batch_norm
from workers.training.rows.batch import Batch, product

# Scores (n,), epoch, batch, and how many rows are drawn at least → places (k,) and their weights; None: all are 1.
Draw = Callable[[Scores, int, int, int], tuple[Places, Weights | None]]


class ModelSampler:
    """One rule per batch, and the model that it asks: as it is now, without dropout, with its running statistics."""

    def __init__(self, name: str, draw: Draw, learner: Learner, loss: Component, device: torch.device) -> None:
        """`name`: of a measure. Raises ConfigurationError where it is not for models that learn under this loss."""
        self._name, self._measure, self._draw = name, MEASURES[name], draw
        refuse_numbers(name, loss)
        self._learner, self._loss = learner, _PreparedLoss(loss, device)
        self._fewest = 2 if uses_batch_norm(learner.model) else 1

    def chosen(self, batch: Batch, epoch: int, number: int) -> Batch:
        """What is learned from, of batch `number` of an epoch, both from 0. A row counts by its weight × its score.

        Waits for the device once. Raises TrainingError for scores that are no numbers, and what the model raises.
        """
        scores = self._scores(batch)
        if batch.weights is not None:
            scores = scores * batch.weights
        try:
            places, weights = self._draw(scores.cpu().numpy(), epoch, number, self._fewest)
        except ValueError as error:
            raise TrainingError(
                f"The rows of batch {number + 1} of epoch {epoch + 1} cannot be drawn by {self._name}: "
                f"{error}. Lower the learning rate (training.optimizer.config.lr) or set training.gradient_clip_norm."
            ) from error
        picked = torch.from_numpy(places).to(batch.labels.device)
        own = None if batch.weights is None else batch.weights.index_select(0, picked)
        drawn = None if weights is None else torch.from_numpy(weights.astype(np.float32)).to(picked.device)
        inputs, labels = (one.index_select(0, picked) for one in (batch.inputs, batch.labels))
        return Batch(inputs, labels, product(own, drawn))

    def _scores(self, batch: Batch) -> torch.Tensor:
        """Of each row, float64 (batch,)."""
        with LastInput(self._learner.model) if self._measure.last_layer else nullcontext() as last:
            outputs = self._learner.outputs(batch.inputs)
            entered = None if last is None else last.of(len(outputs)).double()
            if last is not None:
                refuse_more_layers(last, outputs, type(self._learner.model).__name__)
        with torch.no_grad():
            seen = Seen(outputs.reshape(len(outputs), -1).double(), entered)
            return self._measure.of(self._loss, seen, batch.labels)


class _PreparedLoss(RowLoss):
    """Of labels that are as the loss takes them already."""

    def _prepared(self, labels: torch.Tensor) -> torch.Tensor:
        return labels.double() if labels.is_floating_point() else labels
