"""`python -m benchmarks.detection`: what MMD with 100 permutations takes on CPU, and in how much memory.

Beside it, in turns and in the same process, runs a loop that computes the kernel anew for each permutation, with the
same library, threads and precision; it is told the bandwidth, and timed on a few permutations. Both statistics are
compared. Printed are medians of times, processor time as the machine may do other things too, and the ratio. Bounds: a
ratio of 15 at two windows of 1,000 × 64, of 50 at 5,000 × 64, and 2 GiB for the process at 20,000 × 64.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from workers.detection.measures.median import median
from workers.detection.measures.pairs import Pairs
from workers.detection.statistics import mmd

FEATURES, PERMUTATIONS = 64, 100
SMALLEST_RATIO = {1_000: 15.0, 5_000: 50.0}
MANY_ROWS, LARGEST_GIB = 20_000, 2.0
_LOOPED = {1_000: 10, 5_000: 2}  # permutations on which the loop is timed


def main() -> None:
    """Measure; with --check exit 1 beyond a bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.detection", description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--no-memory", action="store_true", help="leave out the windows of 20,000 rows, which take longest"
    )
    parser.add_argument("--check", action="store_true", help="exit 1 beyond a bound")
    options = parser.parse_args()
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads")
    beyond = []
    if not options.no_memory:  # first, as memory is counted from the process's beginning
        taken_s, (_, p_value) = timed(lambda: mmd(*windows(MANY_ROWS), permutations=PERMUTATIONS))
        largest_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(
            f"2 × {MANY_ROWS:,} × {FEATURES}: {taken_s:.1f} s of processor time, p {p_value:.3f}, {largest_gib:.2f} GiB"
        )
        beyond += [f"{largest_gib:.2f} GiB"] if largest_gib > LARGEST_GIB else []
    for rows, smallest in SMALLEST_RATIO.items():
        ratio = compared(rows, options.repeats)
        beyond += [f"ratio {ratio:.0f} at {rows:,} rows"] if ratio < smallest else []
    if options.check and beyond:
        sys.exit(f"beyond the bounds: {', '.join(beyond)}")


def compared(rows: int, repeats: int) -> float:
    """How many times as long the loop takes."""
    x, y = windows(rows)
    bandwidth = median(Pairs(torch.from_numpy(np.concatenate([x, y])))) / 2
    ours_s, loop_s = [], []
    for _ in range(repeats):
        taken_s, (ours, _) = timed(lambda: mmd(x, y, permutations=PERMUTATIONS))
        ours_s.append(taken_s)
        taken_s, first = timed(lambda: looped(x, y, bandwidth, _LOOPED[rows]))
        loop_s.append(taken_s / _LOOPED[rows] * PERMUTATIONS)
        assert abs(first - ours) < 1e-6, f"{first} and {ours}"
    mmd_s, anew_s = statistics.median(ours_s), statistics.median(loop_s)
    print(f"2 × {rows:,} × {FEATURES}: mmd {mmd_s:.3f} s, kernel anew {anew_s:.1f} s, ratio {anew_s / mmd_s:.0f}")
    return anew_s / mmd_s


def windows(rows: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Two windows that differ a little."""
    generator = np.random.default_rng(rows)
    return generator.normal(size=(rows, FEATURES)), generator.normal(0.02, size=(rows, FEATURES))


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of processor time, of all threads, and what came of it."""
    began_s = time.process_time()
    result = work()
    return time.process_time() - began_s, result


def looped(x: Any, y: Any, bandwidth: float, permutations: int) -> float:
    """MMD² of the rows as they are, then of permuted ones: a kernel each. Returns the first."""
    pooled, generator = torch.from_numpy(np.concatenate([x, y])), np.random.default_rng(0)
    n, found = len(x), []
    for number in range(permutations):
        order = generator.permutation(len(pooled)) if number else np.arange(len(pooled))
        rows = pooled[torch.from_numpy(order)]
        kernel = torch.cdist(rows, rows, compute_mode="use_mm_for_euclid_dist").square_().mul_(-0.5 / bandwidth).exp_()
        kernel.fill_diagonal_(0)
        same = kernel[:n, :n].sum() / (n * (n - 1)) + kernel[n:, n:].sum() / ((len(pooled) - n) * (len(pooled) - n - 1))
        found.append(float(same - 2 * kernel[:n, n:].mean()))
    return found[0]


if __name__ == "__main__":
    main()
