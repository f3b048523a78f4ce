"""A batch, and what gives one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import torch

from workers.training.order.bounds import Bounds
from workers.training.order.rule import Epoch


class Batch(NamedTuple):
    """Rows to learn from, on the device."""

    inputs: torch.Tensor  # (batch, …), as the model takes them
    labels: torch.Tensor  # (batch,), as the loss takes them
    weights: torch.Tensor | None  # (batch,), None where all are 1


class BatchedRows(Protocol):
    """Encoded rows, ready to be learned from."""

    def __len__(self) -> int: ...

    def batches(self, epoch: Epoch, bounds: Bounds) -> Iterator[Batch]:
        """For each of `bounds`, which adjoin, the rows at those places of the epoch's order."""


def product(own: torch.Tensor | None, others: torch.Tensor | None) -> torch.Tensor | None:
    """Weights times weights, (n,) both; None: all are 1."""
    if own is None or others is None:
        return others if own is None else own
    return own * others
