"""A small convolutional network for small images."""

from __future__ import annotations

import torch
from torch import nn

from workers.models.arguments import at_least_one


class SmallCnn(nn.Module):
    """Two 3×3 convolutions (16, 32 channels), 2×2 max pooling, a hidden layer of 64, a linear output."""

    def __init__(self, input_shape: tuple[int, int, int], num_classes: int) -> None:
        super().__init__()
        channels, height, width = input_shape
        if height < 2 or width < 2:
            raise ValueError(f"small_cnn halves the image, so it needs 2 × 2 pixels or more, not {height} × {width}")
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 16, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(32 * (height // 2) * (width // 2), 64),
            nn.ReLU(),
            nn.Linear(64, at_least_one("num_classes", num_classes)),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(batch, channels, height, width) → (batch, num_classes)."""
        return self.layers(images)  # type: ignore[no-any-return]
