"""Strategy gdumb."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.strategies.memories.class_balanced_reservoir import ClassBalancedReservoir


class GDumb(ClassBalancedReservoir):
    """A memory balanced over classes, and each model trained from scratch on it (Prabhu, Torr and Dokania, ECCV 2020).

    The memory is that of `class_balanced_reservoir`, to the row. It is no greedy sampler as in the paper, which would
    keep the first rows of a class that has its share: see `kept/class_balanced.py`. What the two strategies differ in
    is the training: here it never goes on from a model.
    """

    @classmethod
    def objections(cls, options: Mapping[str, Any], pipeline: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """A training that goes on from a model."""
        if (pipeline.get("training") or {}).get("use_previous_model"):
            sentence = "gdumb trains from scratch on what it remembers; below training write"
            yield "name", f"{sentence} `use_previous_model: false`, which is true where it is not written."
