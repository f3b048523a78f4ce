"""Each row's newest loss, for the rules that decide by it."""

from __future__ import annotations

import numpy as np
import torch

from workers.training.order.rule import Epoch, Losses


class RowLosses:
    """Losses of an epoch's rows stay on the device until it ends, as each reading waits for the GPU to catch up."""

    def __init__(self, rows: int, newest: torch.Tensor | None = None, found: torch.Tensor | None = None) -> None:
        """`newest`, (rows,), and `found`, (n,), of the n rows that the epoch has learned from: as `state` told them."""
        self._rows = rows
        self.newest: Losses | None = None if newest is None else newest.numpy()  # before this epoch
        self._found: torch.Tensor | None = None  # (rows,), in the epoch's order, so far as it was learned from
        self._count = 0
        if found is not None:
            self.add(found)

    def add(self, losses: torch.Tensor) -> None:
        """Those of the epoch's next batch, (batch,)."""
        if self._found is None or self._found.device != losses.device:
            before, self._found = self._so_far(), torch.empty(self._rows, device=losses.device)
            self._found[: self._count] = before.to(losses.device)
        self._found[self._count : self._count + len(losses)] = losses
        self._count += len(losses)

    def end(self, epoch: Epoch) -> None:
        """All rows of the epoch have been learned from."""
        self.newest = newest_losses(self.newest, epoch, self._so_far().numpy(), self._rows)
        self._count = 0

    def state(self) -> tuple[torch.Tensor | None, torch.Tensor]:
        """For a checkpoint: the newest before this epoch, and those of this epoch so far."""
        return None if self.newest is None else torch.from_numpy(self.newest), self._so_far()

    def _so_far(self) -> torch.Tensor:
        return torch.empty(0) if self._found is None else self._found[: self._count].cpu()


def newest_losses(losses: Losses | None, epoch: Epoch, found: Losses, rows: int) -> Losses:
    """Each row's newest loss after an epoch, float32 (rows,): `found`, (m,), in the epoch's order; of others as before.

    The order is an index.
    """
    assert isinstance(epoch.order, np.ndarray)
    after = np.full(rows, np.nan, np.float32) if losses is None else np.array(losses, np.float32)
    after[epoch.order] = found
    return after
