"""Coresets of more rows than can be compared with each other: part by part, class by class, with fair shares."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from shared.strategies.fair_share import shares

MOST_ROWS = 15_000  # of a part: n² similarities of float64 are 1.8 GB

Classes = npt.NDArray[np.int64]
# Rows of a part (n, d), how many → indices into them, and lines' weights: the mean over the lines of weight × row
# estimates the mean row of the part. None where each line counts for itself.
Choice = Callable[[Tensor, int], tuple[Tensor, Tensor | None]]

_SEEDS = 2**63


class Part(NamedTuple):
    """Rows that are chosen from together."""

    rows: npt.NDArray[np.int64]  # (n,), ascending
    k: int  # how many are chosen, 1 to n


def parts(
    rows: int, classes: Classes | None, k: int, seed: int, most_rows: int = MOST_ROWS, *, by_class: bool = False
) -> list[Part]:
    """How `rows` rows are cut: all together up to `most_rows`; beyond it, or `by_class`, class by class.

    `classes`: (rows,); None: all rows are of one. A class that is larger than `most_rows` is dealt out by the seed to
    parts of equal size, give or take one. k is shared fairly: all classes get as many rows, as far as they have them;
    what one lacks goes to the others; the k of them together is k, or all rows there are. What cannot be shared evenly
    goes to the first classes, and to the first parts of one. Parts that would get no row are left out. Ordered by
    class, then by part. Raises ValueError.
    """
    if k < 1 or rows < 1 or most_rows < 1:
        raise ValueError(f"k is {k}, of {rows} rows, {most_rows} at once; each is 1 or more")
    if classes is not None and classes.shape != (rows,):
        raise ValueError(f"classes have shape {classes.shape}; there is one a row, ({rows},)")
    if rows <= most_rows and not by_class:
        return [Part(np.arange(rows), min(k, rows))]
    _, codes, counts = np.unique(
        np.zeros(rows, np.int64) if classes is None else classes, return_inverse=True, return_counts=True
    )
    of_classes = np.split(np.argsort(codes, kind="stable"), np.cumsum(counts)[:-1])
    found = []
    for place, (members, share) in enumerate(zip(of_classes, shares(counts, k), strict=True)):
        dealt = _dealt(members, most_rows, [seed % _SEEDS, place])
        sizes = np.array([len(one) for one in dealt])
        found += [Part(one, int(of_it)) for one, of_it in zip(dealt, shares(sizes, int(share)), strict=True)]
    return [one for one in found if one.k > 0]


def per_part(features: Tensor, cut: list[Part], choose: Choice) -> tuple[Tensor, Tensor | None]:
    """What `choose` picks of each part, (n, d) → indices into all rows, part after part, and the lines' weights.

    The mean over the lines of weight × row estimates the mean row of all parts: a part of n of N rows that gets m of M
    lines has its weights times n/N · M/m. A part of which nothing is picked is estimated by nothing.
    """
    picked, weights, sizes = [], [], []
    for part in cut:
        rows = torch.from_numpy(part.rows).to(features.device)
        indices, of_lines = choose(features if len(rows) == len(features) else features[rows], part.k)
        picked.append(rows[indices])
        if of_lines is not None:
            weights.append(of_lines * (len(rows) / max(len(indices), 1)))
        sizes.append(len(rows))
    every = torch.cat(picked)
    return every, torch.cat(weights) * (len(every) / sum(sizes)) if weights else None


def _dealt(members: npt.NDArray[np.int64], most_rows: int, seeds: list[int]) -> list[npt.NDArray[np.int64]]:
    """Into as few parts as are needed, each ascending."""
    needed = -(-len(members) // most_rows)
    if needed == 1:
        return [members]
    mixed = np.random.Generator(np.random.PCG64(seeds)).permutation(members)
    return [np.sort(one) for one in np.array_split(mixed, needed)]
