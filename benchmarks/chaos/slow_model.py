"""A model whose every training batch takes a given time; it is copied beside config.yaml, where workers find it."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from typing import cast

import torch
from torch import nn

BATCH = 16  # rows; the check task shows a model fewer, and is not to wait


class Net(nn.Module):
    """One layer, and the time it takes: `way` is compute, hold_gil or sleep."""

    def __init__(self, in_features: int, way: str, batch_s: float) -> None:
        super().__init__()
        self.line = nn.Linear(in_features, 2)
        self._spend = _WAYS[way]
        self._batch_s = batch_s

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores (n, 2) of rows (n, in_features)."""
        if self.training and len(x) >= BATCH:
            self._spend(self._batch_s)
        return cast(torch.Tensor, self.line(x))


def _compute(seconds: float) -> None:
    """Do what trainings do, small matrix products, so long by the clock on the wall."""
    until_s = time.monotonic() + seconds
    square = torch.eye(128)
    while time.monotonic() < until_s:
        square = square @ square


def _hold_gil(seconds: float) -> None:
    """Sleep in C code that does not let go of the GIL: no other thread of the process runs meanwhile."""
    until_s = time.monotonic() + seconds
    c_library = ctypes.PyDLL(None)
    while (left_s := until_s - time.monotonic()) > 0:
        c_library.usleep(int(left_s * 1e6) + 1)


_WAYS: dict[str, Callable[[float], None]] = {"compute": _compute, "hold_gil": _hold_gil, "sleep": time.sleep}
