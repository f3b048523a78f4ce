"""A model whose batches take a given time in training, and whose rows take a given time in evaluation.

It is copied beside config.yaml, where workers find it. It sleeps, for in a fleet workers are not on the machine that
measures.
"""

from __future__ import annotations

import time
from typing import cast

import torch
from torch import nn

BATCH = 16  # rows; the check task shows a model fewer, and is not to wait


class Net(nn.Module):
    """One layer, and the time it takes: of evaluations a row, so that it is the same for any size of batch."""

    def __init__(self, in_features: int, batch_s: float, row_s: float) -> None:
        super().__init__()
        self.line = nn.Linear(in_features, 2)
        self._batch_s = batch_s
        self._row_s = row_s

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores (n, 2) of rows (n, in_features)."""
        if not self.training:
            time.sleep(len(x) * self._row_s)
        elif len(x) >= BATCH:
            time.sleep(self._batch_s)
        return cast(torch.Tensor, self.line(x))
