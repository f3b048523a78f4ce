"""What a model reads: the kind and shape of one row of input."""

from __future__ import annotations

from math import prod
from typing import Literal

import msgspec

InputKind = Literal["table", "image", "text"]


class InputSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The input of a model for one row.

    A table is float32 (features,); an image float32 (channels, height, width) in 0…1;
    a text uint8 (max_chars,): its UTF-8 bytes, 0 behind the end.
    """

    kind: InputKind
    shape: tuple[int, ...]

    @property
    def width(self) -> int:
        """Numbers in one row."""
        return prod(self.shape)
