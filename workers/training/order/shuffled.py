"""The order of the rows in an epoch: a permutation that follows from seed and epoch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from workers.ahead import ahead

_SEEDS = 2**63  # ours may be larger


def sample_order(seed: int, epoch: int, rows: int) -> torch.Tensor:
    """The order of rows in an epoch, int64 (rows,): of seed and epoch alone, so that a resumed epoch has it too."""
    generator = np.random.Generator(np.random.PCG64([seed % _SEEDS, epoch]))
    return torch.from_numpy(generator.permutation(rows))


def sample_orders(seed: int, first: int, epochs: int, rows: int) -> Iterator[torch.Tensor]:
    """The orders of the epochs from `first` on; while one is used, the next is drawn."""
    return ahead(sample_order(seed, epoch, rows) for epoch in range(first, epochs))
