"""A training set, encoded, in host memory: features mapped from disk, labels and weights a few bytes a row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from workers.features.encoder import FeatureEncoder
from workers.training.order.rule import Epoch
from workers.training.rows.batch import product


@dataclass(frozen=True, kw_only=True)
class HostRows:
    """Where it was encoded."""

    features: torch.Tensor  # (rows, width)
    labels: torch.Tensor  # (rows,)
    weights: torch.Tensor | None  # (rows,), None where all are 1
    encoder: FeatureEncoder

    @property
    def size_bytes(self) -> int:
        """What they would take on a device."""
        return self.features.nbytes + self.labels.nbytes + (0 if self.weights is None else self.weights.nbytes)


class Targets:
    """Labels and weights of all rows, on the device."""

    def __init__(self, rows: HostRows, device: torch.device) -> None:
        self.labels = rows.labels.to(device)
        self._weights = None if rows.weights is None else rows.weights.to(device)
        self._device = device

    def of_epoch(self, epoch: Epoch) -> OfEpoch:
        """In the order of an epoch."""
        return OfEpoch(self.labels, self._weights, epoch, self._device)


class OfEpoch:
    """Labels and weights in the order of an epoch, which goes to the device once."""

    def __init__(self, labels: torch.Tensor, weights: torch.Tensor | None, epoch: Epoch, device: torch.device) -> None:
        self._labels, self._weights = labels, weights
        self.order = index_of(epoch).to(device)
        self._of_order = None if epoch.weights is None else torch.from_numpy(epoch.weights).to(device)

    def at(self, start: int, stop: int) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Labels and weights of a batch, (stop − start,)."""
        picked = self.order[start:stop]
        own = None if self._weights is None else self._weights.index_select(0, picked)
        of_order = None if self._of_order is None else self._of_order[start:stop]
        return self._labels.index_select(0, picked), product(own, of_order)


def index_of(epoch: Epoch) -> torch.Tensor:
    """The order of an epoch of a set that has an index, int64 (m,)."""
    assert isinstance(epoch.order, np.ndarray)
    return torch.from_numpy(epoch.order)
