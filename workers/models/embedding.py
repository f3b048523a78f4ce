"""What a network makes of rows just before its last linear layer: its view of them."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import torch
from torch import nn

from shared.errors import ConfigurationError


class LastInput:
    """While it is entered, what goes into the last linear layer that a forward pass of the network uses."""

    def __init__(self, network: nn.Module) -> None:
        self._layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
        self._hooks: list[Any] = []
        self._seen: torch.Tensor | None = None
        self._gave: tuple[torch.Tensor, int] | None = (
            None  # the layer's outputs, and how often they were changed by then
        )

    def __enter__(self) -> Self:
        self._hooks = [layer.register_forward_hook(self._see) for layer in self._layers]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for hook in self._hooks:
            hook.remove()

    def _see(self, layer: nn.Module, inputs: tuple[torch.Tensor, ...], outputs: torch.Tensor) -> None:
        self._seen, self._gave = inputs[0], (outputs, outputs._version)

    def of(self, rows: int) -> torch.Tensor:
        """Of the forward pass of so many rows, (rows, width): one of several places is their mean.

        Raises ConfigurationError for a network that has no such layer, or gives it something else than rows.
        """
        seen, self._seen = self._seen, None
        if seen is None:
            raise ConfigurationError(
                "the model has no torch.nn.Linear layer that it predicts through, so it has no embedding to compare; "
                "write `space: input`."
            )
        if seen.ndim < 2 or len(seen) != rows:
            raise ConfigurationError(
                f"the model's last linear layer gets {tuple(seen.shape)} for {rows} rows, which is no embedding of "
                "each row; write `space: input`."
            )
        return seen.reshape(rows, -1, seen.shape[-1]).mean(dim=1)

    def gave(self, outputs: torch.Tensor) -> bool:
        """Whether the network's newest outputs, (rows,) or (rows, outputs), are the layer's own, one place a row."""
        if self._gave is None:
            return False
        layers, version = self._gave
        places = layers.numel() // max(layers.shape[-1] * len(outputs), 1)
        same = layers._version == version and layers.numel() == outputs.numel()
        return same and places <= 1 and torch.equal(layers.reshape(outputs.shape).to(outputs.dtype), outputs)
