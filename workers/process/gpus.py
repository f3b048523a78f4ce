"""Which GPU a worker has, as far as its main process can tell, which never loads torch: for its name."""

from __future__ import annotations

import ctypes
import importlib.util
from pathlib import Path


def device_name(wanted: str, number: int, devices: int) -> str:
    """The device of the worker with this number, on a machine that has so many GPUs: one GPU for each while they last.

    `wanted`: auto, cpu, cuda, or cuda:N, which means just that.
    """
    if devices == 0:
        return "cpu" if wanted == "auto" else wanted
    return f"cuda:{number % devices}" if wanted in ("auto", "cuda") else wanted


def count_gpus() -> int:
    """How many GPUs the driver shows to this process; none where the PyTorch that is installed knows none."""
    return _told_by_the_driver() if _torch_knows_cuda() else 0


def _torch_knows_cuda() -> bool:
    torch = importlib.util.find_spec("torch")  # finds it and does not load it
    return torch is not None and torch.origin is not None and _library(torch.origin).exists()


def _library(module: str) -> Path:
    """What every PyTorch for CUDA brings, and no other."""
    return Path(module).parent / "lib" / "libtorch_cuda.so"


def _told_by_the_driver() -> int:
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:  # no GPU of this kind
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value
