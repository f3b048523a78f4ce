"""`python -m benchmarks.selection`: coresets, compared with their definitions written down plainly; and memories.

The plain ones do at each pick what the definition says, with whole tensors and nothing kept that it does not name, and
in float64, by which ours decide, too. Both take the same normal rows, float32; printed are processor time (ours a
median, the plain one's of one try), and whether both picked the same rows.
Bounds are ratios, as times depend on the machine; and of the two functions that are for many rows, memory. Strategies
see a million rows of ten classes, in pieces as a dataset's are, and select a tenth of them; then as many more, and
select again. Their bounds are rows a second, all in all, the seconds of a selection, and the bytes kept for each row
that is remembered, or was used.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from scipy.optimize import nnls
from torch import Tensor

from shared.config.pipeline import Named
from shared.dataset.table import ROWS_AT_ONCE
from shared.strategies.build import strategy_of
from shared.strategies.state import state_bytes
from shared.strategies.strategy import Piece, Request, State
from workers.selection.coreset import facility_location, grad_match, k_center

LARGEST_MB = 2 * 1024**3 / 1e6
SLOWEST_ROWS_A_SECOND = 2e6
LONGEST_SELECT_S = 1.0
MOST_BYTES_A_ROW = 32
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
    parser.add_argument("--check", action="store_true", help="exit 1 beyond a bound")
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
    """Strategies that are slower than a bound, or keep more."""
    options = {"seed": 0, "limit": _KEPT}
    of_strategies = {
        "uniform": {"of": "all", "tail": 0, "fraction": None},
        "reservoir": {},
        "gdumb": {},
        "freshness": {"unused_share": 0.5},
    }
    return {name for name, more in of_strategies.items() if not _is_quick(name, {**options, **more})}


def _is_quick(name: str, options: dict[str, object]) -> bool:
    strategy = strategy_of(Named(name=name, options=options))
    keys, labels = np.arange(2 * _ROWS), pa.array(np.random.default_rng(0).integers(0, 10, 2 * _ROWS))
    state: State = None
    all_s, select_s, kept = 0.0, 0.0, np.empty(0, np.int64)
    for start in (0, _ROWS):
        started_s = time.process_time()
        for first in range(start, start + _ROWS, ROWS_AT_ONCE):
            some = slice(first, min(first + ROWS_AT_ONCE, start + _ROWS))
            of_rows = pa.chunked_array([labels[some]])
            state = strategy.observe(Piece(keys=keys[some], rows=None, labels=of_rows), state)
        observed_s = time.process_time()
        pieces, state = strategy.select(_request(start + _ROWS), state, None)
        chosen = np.concatenate([some for some, _ in pieces])
        ended_s = time.process_time()
        all_s, select_s = all_s + ended_s - started_s, max(select_s, ended_s - observed_s)
        kept = np.union1d(kept, chosen) if name == "freshness" else chosen
    kept_bytes = 0 if state is None else len(state_bytes(state))
    a_second, a_row = 2 * _ROWS / all_s, kept_bytes / len(kept)
    rows = f"{a_second / 1e6:.1f} million rows a second"
    print(f"{name}, {_KEPT:,} of {_ROWS:,}: {rows}, selected in {select_s:.2f} s, {a_row:.1f} bytes a row", flush=True)
    return a_second >= SLOWEST_ROWS_A_SECOND and select_s <= LONGEST_SELECT_S and a_row <= MOST_BYTES_A_ROW


def _request(rows: int) -> Request:
    """Asks for some of so many rows, all that there are."""

    def pieces(triggers: int | None) -> Iterator[npt.NDArray[np.int64]]:
        return (np.arange(first, min(first + ROWS_AT_ONCE, rows)) for first in range(0, rows, ROWS_AT_ONCE))

    def refused(*_: object) -> Any:
        raise NotImplementedError("these strategies ask for keys alone")

    return Request(
        trigger_id=0, trigger_key=rows - 1, rows=pieces, seed=0, timed=refused, labelled=refused, seen=refused,
        labelled_us=refused,
    )  # fmt: skip


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
