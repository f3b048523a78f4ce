"""Models for a row of numbers; an image is read as the row of its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from workers.models.arguments import at_least_one, share

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU, "tanh": nn.Tanh}


class Logistic(nn.Module):
    """One linear layer: logistic regression under a classification loss, linear regression under MSELoss.

    It starts from zeros, as is usual: its loss has one minimum, and random weights can be worse than chance.
    """

    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_features, at_least_one("num_classes", num_classes))
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """(batch, …) → (batch, num_classes)."""
        return self.linear(rows.flatten(1))  # type: ignore[no-any-return]


class Mlp(nn.Module):
    """Linear layers of the widths in `hidden`, each followed by the activation and dropout, then a linear output."""

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        hidden: Sequence[int] = (128,),
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation {activation!r} is unknown; there are {', '.join(ACTIVATIONS)}")
        if isinstance(hidden, str) or not isinstance(hidden, Sequence):
            raise TypeError("hidden is a list of layer widths, such as [128, 64]")
        widths = [in_features, *(at_least_one("hidden", width) for width in hidden)]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), ACTIVATIONS[activation]()]
            layers += [nn.Dropout(share("dropout", dropout))] if dropout else []
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], at_least_one("num_classes", num_classes)))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """(batch, …) → (batch, num_classes)."""
        return self.layers(rows.flatten(1))  # type: ignore[no-any-return]
