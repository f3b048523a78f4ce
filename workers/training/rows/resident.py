"""Rows that lie on the device: on a CPU mapped from the scratch file, on a GPU in its memory."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from workers.features.matrix import model_input
from workers.training.order.bounds import Bounds
from workers.training.order.rule import Epoch
from workers.training.rows.batch import Batch
from workers.training.rows.host import HostRows, Targets


class ResidentRows:
    """All of them, features, labels and weights."""

    def __init__(self, rows: HostRows, device: torch.device) -> None:
        self._features, self._encoder = rows.features.to(device), rows.encoder
        self._targets = Targets(rows, device)

    def __len__(self) -> int:
        return len(self._targets.labels)

    def batches(self, epoch: Epoch, bounds: Bounds) -> Iterator[Batch]:
        """As BatchedRows."""
        there = self._targets.of_epoch(epoch)
        for start, stop in bounds:
            features = self._features.index_select(0, there.order[start:stop])
            yield Batch(model_input(features, self._encoder), *there.at(start, stop))
