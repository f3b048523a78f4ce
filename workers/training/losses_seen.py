"""The losses of an epoch: their mean, and the first that is no number."""

from __future__ import annotations

import math

import torch

from shared.errors import TrainingError


class LossesSeen:
    """Losses are kept on the device and read in one go, as each reading waits for the GPU to catch up."""

    def __init__(self, epoch: int, batch: int = 0, total: float = 0.0, rows: int = 0) -> None:
        self._epoch, self._batch = epoch, batch  # both count from 0; `batch` is the next to be read
        self.total, self.rows = total, rows  # loss × rows of the batches read, and their rows
        self._unread: list[tuple[torch.Tensor, int]] = []

    def add(self, loss: torch.Tensor, rows: int) -> None:
        """The mean loss of the next batch and its number of rows."""
        self._unread.append((loss, rows))

    def read(self) -> float:
        """The mean loss per row of the epoch so far. Raises TrainingError at the first NaN or infinity."""
        if self._unread:
            losses = torch.stack([loss for loss, _ in self._unread]).tolist()
            for loss, (_, rows) in zip(losses, self._unread, strict=True):
                self._refuse_non_finite(loss)
                self.total += loss * rows
                self.rows += rows
                self._batch += 1
            self._unread.clear()
        return self.total / self.rows if self.rows else 0.0

    def _refuse_non_finite(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise TrainingError(
                f"The loss became {loss} at batch {self._batch + 1} of epoch {self._epoch + 1}. Lower the learning "
                f"rate (training.optimizer.config.lr) or set training.gradient_clip_norm, such as 1.0."
            )
