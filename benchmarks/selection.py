"""`python -m benchmarks.selection`: coresets, compared with their definitions written down plainly; and memories.

The plain ones do at each pick what the definition says, with whole tensors and nothing kept that it does not name, and
in float64, by which ours decide, too. Both take the same normal rows, float32; printed are processor time (ours a
median, the plain one's of one try), and whether both picked the same rows.
Bounds are ratios, as times depend on the machine; of the two functions that are for many rows, memory; and of what
observes a stream, a million rows of ten classes in pieces as a dataset's are, rows a second.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import nnls
from torch import Tensor

from shared.dataset.table import ROWS_AT_ONCE
from shared.strategies.memories.kept.gdumb import GDumb
from shared.strategies.memories.kept.reservoir import Reservoir
from workers.selection.coreset import facility_location, grad_match, k_center

LARGEST_MB = 2 * 1024**3 / 1e6
SLOWEST_ROWS_A_SECOND = 2e6
_REGULARISATION = 1.0
_ROWS, _KEPT = 1_000_000, 100_000


class Case(NamedTuple):
    """What is compared; both functions give indices."""

    name: str
    made: Callable[[], Tensor]
    ours: Callable[[Tensor], Tensor]
    plain: Callable[[Tensor], Tensor]
    bound: float  # plain over ours, at least


def plain_k_center(features: Tensor, k: int) -> Tensor:
    """At each pick the distances of all rows to it."""
    rows, picked = features.double(), [0]
    nearest, away = torch.full((len(rows),), torch.inf, dtype=torch.float64), torch.empty_like(rows)
    while len(picked) < k:
        distances = torch.sub(rows, rows[picked[-1]], out=away).square_().sum(dim=1).sqrt_()
        nearest = torch.minimum(nearest, distances)
        picked.append(int(nearest.argmax()))
    return torch.tensor(picked)


def plain_facility_location(similarity: Tensor, k: int) -> Tensor:
    """At each pick the gains of all rows."""
    alike, picked = similarity.double(), list[int]()
    covered, more = torch.zeros(len(alike), 1, dtype=torch.float64), torch.empty_like(alike)
    while len(picked) < k:
        gains = torch.sub(alike, covered, out=more).clamp_(min=0).sum(dim=0)
        gains[picked] = -torch.inf
        picked.append(int(gains.argmax()))
        covered = torch.maximum(covered, alike[:, picked[-1:]])
    return torch.tensor(picked)


def plain_grad_match(gradients: Tensor, k: int) -> Tensor:
    """At each pick all products, and the weights from the products of the picked rows with each other."""
    gradients = gradients.double()
    target = left = gradients.mean(dim=0)
    picked: list[int] = []
    while len(picked) < k:
        products = gradients @ left
        products[picked] = -torch.inf
        picked.append(int(products.argmax()))
        chosen = gradients[picked]
        ridge = 0 if len(picked) == 1 else _REGULARISATION
        matrix = chosen @ chosen.T + ridge * torch.eye(len(picked), dtype=torch.float64)
        left = target - torch.linalg.solve(matrix, chosen @ target) @ chosen
    weights, _ = nnls(matrix.numpy(), (chosen @ target).numpy())
    return torch.tensor(sorted(row for row, weight in zip(picked, weights, strict=True) if weight > 0))


def _rows(n: int) -> Tensor:
    return torch.randn(n, 64, generator=torch.Generator().manual_seed(0))


def _similarity(n: int) -> Tensor:
    far = torch.cdist(_rows(n), _rows(n))
    return far.max() - far + 1e-3


def _grad_match(gradients: Tensor, k: int) -> Tensor:
    return grad_match(gradients, gradients.mean(dim=0), k, _REGULARISATION)[0]


def _cases() -> list[Case]:
    def centers(n: int, k: int) -> Case:
        name = f"k_center, {n:,} × 64, k = {k:,}"
        return Case(name, lambda: _rows(n), lambda x: k_center(x, k, 0), lambda x: plain_k_center(x, k), 5)

    return [
        centers(10_000, 1000),
        centers(50_000, 1000),
        Case(
            "facility_location, 5,000 rows, k = 500",
            lambda: _similarity(5000),
            lambda s: facility_location(s, 500),
            lambda s: plain_facility_location(s, 500),
            5,
        ),
        Case(
            "grad_match, 10,000 × 64, k = 500",
            lambda: _rows(10_000),
            lambda g: _grad_match(g, 500),
            lambda g: plain_grad_match(g, 500),
            10,
        ),
    ]


def main() -> None:
    """Measure; with --check exit 1 if a ratio or the memory is beyond its bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.selection", description=__doc__.splitlines()[0])
    parser.add_argument("--tries", type=int, default=3)
    parser.add_argument("--check", action="store_true", help="exit 1 below a ratio or beyond 2 GiB")
    options = parser.parse_args()
    torch.set_num_threads(1)  # whatever else the machine does, one thread's time is its own
    slow = memory_of_many_rows() | slow_memories()
    slow |= {case.name for case in _cases() if compared(case, options.tries) < case.bound}
    if options.check and slow:
        sys.exit(f"beyond a bound: {'; '.join(sorted(slow))}")


def memory_of_many_rows() -> set[str]:
    """First of all, as the process's largest memory is what counts."""
    rows = _rows(50_000)
    k_center(rows, 1000)
    _grad_match(rows, 500)
    largest_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(f"k_center and grad_match, 50,000 × 64: {largest_mb:.0f} MB, PyTorch and rows included")
    return {"memory"} if largest_mb > LARGEST_MB else set()


def slow_memories() -> set[str]:
    """Those that observe fewer rows a second than the bound."""
    keys = np.arange(_ROWS)
    classes = np.random.default_rng(0).integers(0, 10, _ROWS).astype(np.uint64)
    reservoir, balanced = Reservoir(_KEPT, 0), GDumb(_KEPT, 0)
    observed = {
        "reservoir": (reservoir, lambda state, part: reservoir.observe(state, keys[part])),
        "gdumb": (balanced, lambda state, part: balanced.observe(state, keys[part], classes[part])),
    }
    slow = set()
    for name, (memory, observe) in observed.items():
        state, started_s = memory.empty(), time.process_time()
        for start in range(0, _ROWS, ROWS_AT_ONCE):
            state = observe(state, slice(start, start + ROWS_AT_ONCE))
        rows_a_second = _ROWS / (time.process_time() - started_s)
        print(f"{name}, {_KEPT:,} of {_ROWS:,} rows kept: {rows_a_second / 1e6:.1f} million rows a second")
        if rows_a_second < SLOWEST_ROWS_A_SECOND:
            slow.add(name)
    return slow


def compared(case: Case, tries: int) -> float:
    """How many times as long the plain one takes."""
    given = case.made()
    found = [_timed(case.ours, given) for _ in range(tries)]
    ours_s, ours = statistics.median(taken_s for taken_s, _ in found), found[0][1]
    plain_s, plain = _timed(case.plain, given)
    ratio, same = plain_s / ours_s, len(set(ours) & set(plain)) / len(ours)
    times = f"{ours_s:.3f} s, plainly {plain_s:.2f} s"
    print(f"{case.name}: {times}, {ratio:.1f}× (bound {case.bound}×), {same:.1%} of its rows the same", flush=True)
    return ratio


def _timed(function: Callable[[Tensor], Tensor], given: Tensor) -> tuple[float, list[int]]:
    started_s = time.process_time()
    found = function(given)
    return time.process_time() - started_s, found.tolist()


if __name__ == "__main__":
    main()
