"""A bag of hashed character n-grams: the mean of their embeddings, then a linear output.

After Joulin, Grave, Bojanowski and Mikolov, "Bag of Tricks for Efficient Text Classification" (2016), on bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from workers.features.text import DEFAULT_MAX_CHARS
from workers.models.arguments import at_least_one

_START, _END = 1, 2  # control bytes, put around the text so that n-grams know its first and last letters
_MULTIPLIER = 0x01000193  # FNV's prime for 32 bits
_MASK = 0x7FFFFFFF


class TextBag(nn.Module):
    """Reads the bytes themselves, so hashing is a part of the model and travels with it."""

    def __init__(
        self,
        num_classes: int,
        ngrams: Sequence[int] = (1, 2, 3),
        buckets: int = 4096,
        dim: int = 32,
        max_chars: int = DEFAULT_MAX_CHARS,
    ) -> None:
        super().__init__()
        if isinstance(ngrams, str) or not isinstance(ngrams, Sequence) or not ngrams:
            raise TypeError("ngrams is a list of lengths, such as [1, 2, 3]")
        self.ngrams = tuple(at_least_one("ngrams", length) for length in ngrams)
        self.max_chars = at_least_one("max_chars", max_chars)
        if max(self.ngrams) > self.max_chars + 2:
            raise ValueError(f"ngrams of {max(self.ngrams)} do not fit into max_chars {max_chars}")
        self.buckets = at_least_one("buckets", buckets)
        # Bucket 0 stands for "no n-gram here" and is left out of the mean.
        self.embedding = nn.EmbeddingBag(self.buckets + 1, at_least_one("dim", dim), mode="mean", padding_idx=0)
        self.output = nn.Linear(dim, at_least_one("num_classes", num_classes))

    def forward(self, text: torch.Tensor) -> torch.Tensor:
        """uint8 (batch, chars), 0 behind the end of each text → (batch, num_classes)."""
        framed = frame(text[:, : self.max_chars].to(torch.int64))
        hashed = torch.cat([self.hashed(framed, length) for length in self.ngrams], dim=1)
        return self.output(self.embedding(hashed))  # type: ignore[no-any-return]

    def hashed(self, framed: torch.Tensor, length: int) -> torch.Tensor:
        """The bucket 1…buckets of each n-gram of one length, 0 where it runs over the end. (batch, positions)."""
        positions = framed.shape[1] - length + 1
        value = torch.full_like(framed[:, :positions], length)
        for offset in range(length):
            value = ((value ^ framed[:, offset : offset + positions]) * _MULTIPLIER) & _MASK
        inside = framed[:, length - 1 :] != 0
        # The low bits of a product depend on the low bits alone; the fold brings the high ones in.
        return ((value ^ (value >> 15)) % self.buckets + 1) * inside


def frame(text: torch.Tensor) -> torch.Tensor:
    """Bytes (batch, chars) with a start before them and an end behind the last: (batch, chars + 2)."""
    padded = nn.functional.pad(text, (1, 1))
    padded[:, 0] = _START
    before = nn.functional.pad(padded[:, :-1], (1, 0))
    return padded.masked_fill((padded == 0) & (before != 0), _END)
