"""What makes two trainings of the same job equal to the bit: seeds, threads, arithmetic."""

from __future__ import annotations

import os

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

_SEEDS = 2**63  # torch takes any int64; ours may be larger


def fix_randomness(seed: int, threads: int) -> None:
    """Seed torch and make its sums come in one order. Thread counts change results, so they come from the file."""
    torch.manual_seed(seed % _SEEDS)
    torch.set_num_threads(threads)
    fix_arithmetic()


def fix_arithmetic() -> None:
    """Have a GPU compute the same for the same, too."""
    # cuBLAS is deterministic only with a fixed workspace, read when CUDA starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.backends.cudnn.benchmark = False
    torch.use_deterministic_algorithms(True, warn_only=True)
    # On by default beside the line above: it fills every new tensor with NaN, which costs and finds nothing here.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def uses_batch_norm(model: nn.Module) -> bool:
    """Whether statistics of the batch are a part of the model."""
    return any(isinstance(module, _BatchNorm) for module in model.modules())


def random_state() -> dict[str, torch.Tensor | list[torch.Tensor]]:
    """The state of torch's generators, for a checkpoint."""
    state: dict[str, torch.Tensor | list[torch.Tensor]] = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state_all()
    return state


def restore_random_state(state: dict[str, torch.Tensor | list[torch.Tensor]]) -> None:
    """Go on with the random numbers where `random_state` was taken."""
    torch.set_rng_state(state["cpu"])  # type: ignore[arg-type]
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])
