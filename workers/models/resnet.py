"""Residual networks: He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition" (2015).

Two departures, both common since: a bottleneck strides in its 3×3 convolution rather than the first 1×1, and images
lower than 64 pixels get a 3×3 stem without pooling, as 7×7 with two halvings would leave nothing of them.
"""

from __future__ import annotations

import torch
from torch import nn

from workers.models.arguments import at_least_one

SMALL_IMAGE_HEIGHT = 64


def conv_norm(before: int, after: int, size: int, stride: int = 1) -> nn.Sequential:
    """A convolution that keeps the image's size (but for the stride), and batch normalisation (in place of a bias)."""
    convolution = nn.Conv2d(before, after, size, stride=stride, padding=size // 2, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(convolution, nn.BatchNorm2d(after))


class Residual(nn.Module):
    """relu(body(x) + shortcut(x)); the shortcut is the identity where the shapes allow it, else a 1×1 projection."""

    def __init__(self, body: nn.Sequential, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.body = body
        same = stride == 1 and before == after
        self.shortcut: nn.Module = nn.Identity() if same else conv_norm(before, after, 1, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, before, h, w) → (batch, after, h / stride, w / stride)."""
        return torch.relu(self.body(x) + self.shortcut(x))


def basic_block(before: int, width: int, stride: int) -> Residual:
    """Two 3×3 convolutions (the paper's figure 5, left)."""
    body = nn.Sequential(conv_norm(before, width, 3, stride), nn.ReLU(), conv_norm(width, width, 3))
    return Residual(body, before, width, stride)


def bottleneck(before: int, width: int, stride: int) -> Residual:
    """1×1 narrows, 3×3 works, 1×1 widens fourfold (figure 5, right)."""
    body = nn.Sequential(
        conv_norm(before, width, 1),
        nn.ReLU(),
        conv_norm(width, width, 3, stride),
        nn.ReLU(),
        conv_norm(width, 4 * width, 1),
    )
    return Residual(body, before, 4 * width, stride)


# Depth → block, how much wider its output is than its inside, blocks in each stage (the paper's table 1).
BLOCKS = {18: (basic_block, 1, (2, 2, 2, 2)), 50: (bottleneck, 4, (3, 4, 6, 3))}


class ResNet(nn.Module):
    """A stem, four stages of residual blocks (64, 128, 256, 512 wide), the mean over the image, a linear output."""

    def __init__(self, input_shape: tuple[int, int, int], num_classes: int, depth: int) -> None:
        super().__init__()
        channels, height, _ = input_shape
        block, expansion, blocks_per_stage = BLOCKS[depth]
        self.stem = small_stem(channels) if height < SMALL_IMAGE_HEIGHT else large_stem(channels)
        stages: list[nn.Module] = []
        before = 64
        for stage, blocks in enumerate(blocks_per_stage):
            width = 64 * 2**stage
            for index in range(blocks):
                stages.append(block(before, width, 2 if stage and not index else 1))
                before = expansion * width
        self.stages = nn.Sequential(*stages)
        self.output = nn.Linear(before, at_least_one("num_classes", num_classes))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(batch, channels, height, width) → (batch, num_classes)."""
        return self.output(self.stages(self.stem(images)).mean(dim=(2, 3)))  # type: ignore[no-any-return]


def small_stem(channels: int) -> nn.Sequential:
    """Keeps the image's size: the paper's for CIFAR-10 (§4.2)."""
    return nn.Sequential(conv_norm(channels, 64, 3), nn.ReLU())


def large_stem(channels: int) -> nn.Sequential:
    """Quarters the image's height and width: the paper's for ImageNet (table 1)."""
    return nn.Sequential(conv_norm(channels, 64, 7, stride=2), nn.ReLU(), nn.MaxPool2d(3, stride=2, padding=1))


class ResNet18(ResNet):
    """18 layers of basic blocks."""

    def __init__(self, input_shape: tuple[int, int, int], num_classes: int) -> None:
        super().__init__(input_shape, num_classes, depth=18)


class ResNet50(ResNet):
    """50 layers of bottlenecks."""

    def __init__(self, input_shape: tuple[int, int, int], num_classes: int) -> None:
        super().__init__(input_shape, num_classes, depth=50)
