"""Which device a worker's main process takes its child to have."""

from __future__ import annotations

import torch

from workers.process.gpus import count_gpus


def test_the_main_process_counts_the_gpus_that_torch_will_find() -> None:
    """It does not load torch, and both come to the same, on machines with and without GPUs."""
    assert count_gpus() == (torch.cuda.device_count() if torch.cuda.is_available() else 0)
