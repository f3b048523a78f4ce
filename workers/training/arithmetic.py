"""In which arithmetic a model learns: fp32, or 16 bits where they do, with the scaler that fp16 needs."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import torch
from torch.optim import Optimizer

Precision = Literal["fp32", "bf16", "fp16"]

_HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Arithmetic:
    """Weights and optimizer stay in 32 bits. Gradients in fp16 are scaled, so that small ones do not vanish."""

    def __init__(self, precision: Precision, device: torch.device) -> None:
        self._type, self._device = _HALF.get(precision), device.type
        self._scaler = torch.amp.GradScaler(self._device, enabled=precision == "fp16")

    @property
    def scales(self) -> bool:
        """Whether gradients are scaled."""
        return self._scaler.is_enabled()

    def forward(self) -> AbstractContextManager[Any]:
        """In it the model runs in the wanted arithmetic."""
        return nullcontext() if self._type is None else torch.autocast(self._device, self._type)

    def outputs(self, outputs: torch.Tensor) -> torch.Tensor:
        """The model's outputs, as the loss wants them: in 32 bits."""
        return outputs if self._type is None else outputs.float()

    def backward(self, loss: torch.Tensor) -> None:
        """Compute the gradients, scaled."""
        self._scaler.scale(loss).backward()

    def unscale(self, optimizer: Optimizer) -> None:
        """Give the gradients their true size, to look at them before the step."""
        self._scaler.unscale_(optimizer)

    def step(self, optimizer: Optimizer) -> None:
        """Step, unless a gradient was too large for 16 bits: then only the scale shrinks."""
        self._scaler.step(optimizer)
        self._scaler.update()

    def scale(self) -> float:
        """What gradients are multiplied with; reading it waits for the device."""
        return float(self._scaler.get_scale())

    def state_dict(self) -> dict[str, Any]:
        """The scale, for a checkpoint."""
        return self._scaler.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        if self.scales:
            self._scaler.load_state_dict(state)
