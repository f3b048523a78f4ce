"""Maximum mean discrepancy: whether two windows differ in anything, in all features together."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch

from shared.errors import ConfigurationError
from workers.detection.measures.median import median
from workers.detection.measures.pairs import Pairs
from workers.detection.measures.windows import windows
from workers.going_on import GoOn, unheard

_AT_ONCE = 1_000  # permutations
_TIE = 1e-12  # statistics that are nearer, as a share of the kernel's mean, are equal but for rounding


def mmd(
    reference: npt.ArrayLike,
    current: npt.ArrayLike,
    *,
    bandwidth: float | None = None,
    unbiased: bool = True,
    permutations: int = 100,
    seed: int = 0,
    go_on: GoOn = unheard,
) -> tuple[float, float | None]:
    """MMD² of (n, d) and (m, d), without a unit, and its permutation p (Gretton et al., JMLR 2012).

    The kernel is exp(−‖x − y‖² / (2·bandwidth)). `bandwidth`, sigma², is in squared units of the features; None: half
    the median squared distance of all distinct pairs of pooled rows. Where that is 0, because most rows are equal,
    the kernel is its limit: 1 for equal rows, else 0. `unbiased` leaves out the pairs of a row with itself: the
    statistic scatters around 0 where nothing changed, and can be negative.

    p = (count + 1) / (permutations + 1), of permutations whose statistic is as large or larger; None without any.
    Memory grows with the rows, not with their pairs; `go_on` is called with every few of these. Raises DataError for
    windows that cannot be compared, ConfigurationError for options that cannot be.
    """
    x, y = windows(reference, current, least=2 if unbiased else 1)
    _check(bandwidth, permutations, seed)
    pairs = Pairs(torch.from_numpy(np.concatenate([x, y])), go_on)
    bandwidth = _median_bandwidth(pairs) if bandwidth is None else bandwidth
    pairs.be_careful(bandwidth)
    observed, larger = math.nan, 0
    for number, labels in enumerate(_labels(len(x), len(y), permutations, seed)):
        sums, mean = _sums(pairs, bandwidth, labels)
        found = _squared_mmd(sums, len(x), len(y), unbiased)
        if number == 0:
            observed, found = float(found[0]), found[1:]
        larger += int(torch.count_nonzero(found >= observed - _TIE * abs(mean)))
    return observed, (larger + 1) / (permutations + 1) if permutations else None


def _check(bandwidth: float | None, permutations: int, seed: int) -> None:
    if bandwidth is not None and not 0 < bandwidth < math.inf:
        raise ConfigurationError(f"the bandwidth of mmd is {bandwidth}; it must be a number above 0, or left out")
    if permutations < 0:
        raise ConfigurationError(f"mmd has {permutations} permutations; 0 or more are possible, 0: no p-value")
    if seed < 0:
        raise ConfigurationError(f"the seed of mmd is {seed}; it must be 0 or larger")


def _median_bandwidth(pairs: Pairs) -> float:
    found = median(pairs)
    return (median(pairs) if pairs.be_careful(found) else found) / 2


def _labels(n: int, m: int, permutations: int, seed: int) -> Iterator[torch.Tensor]:
    """Which rows are called reference: bool (n + m, at most 1,001), first of all as it is, then permuted."""
    as_it_is, generator = np.arange(n + m) < n, np.random.Generator(np.random.PCG64(seed))
    columns = [as_it_is]
    for _ in range(permutations):
        if len(columns) > _AT_ONCE:
            yield torch.from_numpy(np.stack(columns, axis=1))
            columns = []
        columns.append(generator.permutation(as_it_is))
    yield torch.from_numpy(np.stack(columns, axis=1))


def _sums(
    pairs: Pairs, bandwidth: float, labels: torch.Tensor
) -> tuple[tuple[torch.Tensor, torch.Tensor, torch.Tensor], float]:
    """Sums of the kernel, less 1, within reference, within current and between, for each column; and its mean.

    MMD² is the same with any constant added to the kernel; less 1 it is 0 for a row with itself, and keeps its digits
    where it is near 1. The kernel is computed once for all columns: aᵀKa of an indicator a is a column of a matrix
    product, and the other two sums follow from it and the sums of K's rows.
    """
    within, rows = torch.zeros(labels.shape[1], dtype=torch.float64), torch.zeros(len(labels), dtype=torch.float64)
    for one, other, block in pairs.blocks():
        kernel = _kernel_less_1(block, bandwidth)
        here, there = labels[one].double(), labels[other].double()
        both = (here * (kernel @ there)).sum(dim=0)
        rows[one] += kernel.sum(dim=1)
        if one == other:
            within += both
        else:
            rows[other] += kernel.sum(dim=0)
            within += 2 * both
    total, touched = rows.sum(), labels.double().T @ rows
    return (within, total - 2 * touched + within, touched - within), float(total) / len(labels) ** 2


def _squared_mmd(sums: tuple[torch.Tensor, torch.Tensor, torch.Tensor], n: int, m: int, unbiased: bool) -> torch.Tensor:
    within_reference, within_current, between = sums
    less = 1 if unbiased else 0
    return within_reference / (n * (n - less)) + within_current / (m * (m - less)) - 2 * between / (n * m)


def _kernel_less_1(squared: torch.Tensor, bandwidth: float) -> torch.Tensor:
    """In place."""
    if bandwidth == 0:
        return -(squared > 0).double()
    return squared.mul_(-0.5 / bandwidth).expm1_()
