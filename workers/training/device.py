"""Which device a training runs on, and what asks the current model."""

from __future__ import annotations

import socket

import torch

from shared.errors import NotReadyError


def of_worker(wanted: str, own: str) -> str:
    """pipeline.yaml's wish; `auto` is what this worker was started for."""
    return own if wanted == "auto" or (wanted == "cuda" and own.startswith("cuda")) else wanted


def choose_device(wanted: str) -> torch.device:
    """`auto` is CUDA where there is one, else the CPU. Raises NotReadyError where the wanted one is absent."""
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(wanted)
    devices = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device.type == "cuda" and (device.index or 0) >= devices:
        raise NotReadyError(
            f"device {wanted} is asked for, but PyTorch sees {devices or 'no'} CUDA device{'s' * (devices > 1)} "
            f"on {socket.gethostname()}. Start a worker on a machine with a GPU, or write device: auto or cpu."
        )
    return device
