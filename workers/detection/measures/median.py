"""The median of the squared distances of all pairs of rows, without having them all at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from workers.detection.measures.pairs import Pairs

Whole = npt.NDArray[np.int64]

_FEW = 2**18  # pairs: so many are sorted
_SAMPLE = 20_000  # pairs: where the median is looked for first
_AROUND = 0.014  # quantiles on either side of it: four times the scatter of a sample's median
_BINS = 2**18
_NEAR = 2.5e-7  # the width of a bin, as a share of the median
_LOOKS = 8  # one does, nearly always


def median(pairs: Pairs) -> float:
    """The median over the distinct pairs, the mean of both middle ones where their number is even.

    Exact up to 2^18 pairs, else to 1.3e-7 of itself: a sample says where it should be, and one look at all pairs counts
    those below and those in each of many narrow bins there. Where it is not there, the next look searches everywhere.
    """
    if len(pairs) <= _FEW:
        return float(np.median(torch.cat([_distinct(block) for block in pairs.blocks()]).numpy()))
    middle = [(len(pairs) - 1) // 2, len(pairs) // 2]  # ranks, from 0
    return float(np.mean(_of_ranks(pairs, np.array(middle), _sampled(pairs), _LOOKS)))


def _of_ranks(pairs: Pairs, ranks: Whole, bounds: tuple[float, float], looks: int) -> list[float]:
    """The squared distances of these ranks, looked for within bounds, and with so many looks at most."""
    low, high = bounds
    up_to = _counted(pairs, low, high)
    if looks and (ranks[0] < up_to[0] or ranks[-1] >= up_to[-1]):
        return _of_ranks(pairs, ranks, (0.0, pairs.farthest), looks - 1)
    width, found = (high - low) / _BINS, []
    bins = np.searchsorted(up_to, ranks, side="right") - 1
    for one in np.unique(bins).tolist():
        here, start = ranks[bins == one], low + width * one
        if looks and width > _NEAR * start:
            found += _of_ranks(pairs, here, (start, start + width), looks - 1)
        else:
            found += [start + width / 2] * len(here)
    return found


def _distinct(block: tuple[slice, slice, torch.Tensor]) -> torch.Tensor:
    """The distances of a block, each pair once."""
    one, other, distances = block
    if one != other:
        return distances.flatten()
    above = torch.triu_indices(len(distances), len(distances), offset=1)
    return distances[above[0], above[1]]


def _sampled(pairs: Pairs) -> tuple[float, float]:
    """Between which two values the median is, almost surely."""
    generator, rows = np.random.Generator(np.random.PCG64(0)), len(pairs.rows)
    one = generator.integers(0, rows, _SAMPLE)
    other = (one + generator.integers(1, rows, _SAMPLE)) % rows
    distances = pairs.between(torch.from_numpy(one), torch.from_numpy(other)).numpy()
    low, high = np.quantile(distances, [0.5 - _AROUND, 0.5 + _AROUND])
    return float(low), float(high)


def _counted(pairs: Pairs, low: float, high: float) -> Whole:
    """How many pairs are below the first bin, and up to each one's end: int64 (bins + 1,). The last bin is closed."""
    lower, inside = 0, torch.zeros(_BINS, dtype=torch.int64)
    per_unit = _BINS / (high - low) if high > low else 0.0
    for block in pairs.blocks():
        distances = _distinct(block)
        below = distances < low
        lower += int(torch.count_nonzero(below))
        here = distances[(distances <= high) ^ below]
        inside += torch.bincount(((here - low) * per_unit).long().clamp_(max=_BINS - 1), minlength=_BINS)
    return lower + np.concatenate([[0], inside.cumsum(dim=0).numpy()])
