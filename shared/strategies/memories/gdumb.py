"""Strategy gdumb."""

from __future__ import annotations

from shared.strategies.memories.class_balanced_reservoir import ClassBalancedReservoir


class GDumb(ClassBalancedReservoir):
    """A memory balanced over classes, and each model trained from scratch on it (Prabhu, Torr and Dokania, ECCV 2020).

    The memory is that of `class_balanced_reservoir`, to the row. It is no greedy sampler as in the paper, which would
    keep the first rows of a class that has its share: see `kept/class_balanced.py`. What the two strategies differ in
    is the training: here it never goes on from a model.
    """

    from_scratch = True
