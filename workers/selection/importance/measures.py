"""The measures of importance by name, and what each needs to be found."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from shared.config.pipeline import Component
from shared.errors import ConfigurationError
from workers.selection.row_loss import RowLoss
from workers.selection.seen import Seen
from workers.training.losses import loss_kind


class Measure(NamedTuple):
    """Rows that were seen, with their labels (n,), under a loss → scores (n,), float64. The greater, the more to learn.

    One that needs no labels may be given any.
    """

    of: Callable[[RowLoss, Seen, Tensor | None], Tensor]
    labels: bool = False
    last_layer: bool = False
    classes: bool = False  # it is one of models that tell classes apart
    holdout: bool = False  # the same of a holdout model is taken off


def _loss(loss: RowLoss, seen: Seen, labels: Tensor | None) -> Tensor:
    """The loss that the model was trained under."""
    assert labels is not None
    return loss.of(seen.outputs, labels)


def _gradient_norm(loss: RowLoss, seen: Seen, labels: Tensor | None) -> Tensor:
    """‖∂loss/∂outputs‖ · ‖last input‖: the norm of the row's gradient by the weights of the last layer.

    The gradient is an outer product, so its norm is the product of both. It is ‖p − y‖ · ‖h‖ under CrossEntropyLoss,
    twice that under MSELoss. Katharopoulos and Fleuret (ICML 2018) bound a row's whole gradient by it.
    """
    assert labels is not None
    assert seen.last_input is not None
    by_outputs: Tensor = torch.linalg.vector_norm(loss.gradient(seen.outputs, labels), dim=1)
    entered: Tensor = torch.linalg.vector_norm(seen.last_input, dim=1)
    return by_outputs * entered


def _margin(loss: RowLoss, seen: Seen, labels: Tensor | None) -> Tensor:
    """1 − (largest − second largest probability), 0 to 1. Scheffer, Decomain and Wrobel (IDA 2001)."""
    two = loss.probabilities(seen.outputs).topk(2, dim=1).values
    return 1 - (two[:, 0] - two[:, 1])


def _entropy(loss: RowLoss, seen: Seen, labels: Tensor | None) -> Tensor:
    """−Σ p ln p of the probabilities, in nats, 0 to ln(classes). Shannon (1948)."""
    shares = loss.probabilities(seen.outputs)
    return -shares.xlogy(shares).sum(dim=1)


def _least_confidence(loss: RowLoss, seen: Seen, labels: Tensor | None) -> Tensor:
    """1 − largest probability, 0 to 1 − 1/classes. Lewis and Gale (SIGIR 1994)."""
    return 1 - loss.probabilities(seen.outputs).amax(dim=1)


MEASURES = {
    "loss": Measure(_loss, labels=True),
    "gradient_norm": Measure(_gradient_norm, labels=True, last_layer=True),
    "margin": Measure(_margin, classes=True),
    "entropy": Measure(_entropy, classes=True),
    "least_confidence": Measure(_least_confidence, classes=True),
    # What can be learned, and is not yet: Mindermann et al. (ICML 2022). It may be negative.
    "rho_loss": Measure(_loss, labels=True, holdout=True),
}


def needs_labels(name: str) -> bool:
    """Whether a measure is one of rows with their labels."""
    return name in MEASURES and MEASURES[name].labels


def refuse_numbers(name: str, loss: Component) -> None:
    """Raise ConfigurationError for a measure of classes under a loss that learns numbers."""
    if MEASURES[name].classes and loss_kind(loss).task == "regression":
        raise ConfigurationError(
            f"importance {name} is one of models that tell classes apart; this one predicts numbers under "
            f"{loss.name}: write loss or gradient_norm."
        )
