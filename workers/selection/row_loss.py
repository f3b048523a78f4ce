"""The loss that a model was trained under, of each row by itself."""

from __future__ import annotations

import torch
from torch import Tensor

from shared.config.pipeline import Component
from workers.training.losses import loss_kind, make_objective, predictions, prepare_labels


class RowLoss:
    """Outputs are what the network gives, float64 (n, outputs); labels are as read, (n,); both on one device.

    In float64 a row that is nearly learned has a small loss and gradient still, where float32 would round them to 0.
    """

    def __init__(self, loss: Component, device: torch.device) -> None:
        """`loss` as `training.loss` has it."""
        self._kind = loss_kind(loss)
        self._objective = make_objective(loss, weighted=True).to(device, torch.float64)

    def of(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """The loss of each row, (n,), in the loss's unit."""
        return self._objective(outputs, self._prepared(labels), None)

    def gradient(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Of each row's loss by its outputs, (n, outputs); for CrossEntropyLoss probability less label."""
        with torch.enable_grad():
            outputs = outputs.detach().requires_grad_()
            total = self.of(outputs, labels).sum()
            (gradient,) = torch.autograd.grad(total, outputs)
        return gradient

    def probabilities(self, outputs: Tensor) -> Tensor:
        """Of each class, (n, classes); a softmax, or what the loss has in its place."""
        return predictions(self._kind, outputs)

    def _prepared(self, labels: Tensor) -> Tensor:
        prepared = prepare_labels(self._kind, labels)
        return prepared.double() if prepared.is_floating_point() else prepared
