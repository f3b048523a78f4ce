"""`python -m benchmarks.best_schedule`: the best schedule in hindsight of many candidates over many windows.

Losses are made up as they are asked for: a model gets worse as it ages, and some windows are harder than others.
Timed is all that follows: their sums, the schedules for three prices, and those with at most 1 to 100 trainings. Bounds
at 100,000 windows and 1,000 candidates: 10 s of processor time, and 2 GiB for the process.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from supervisor.backtest.hindsight.best_schedule import Candidate, Hindsight, Schedule

WINDOWS, CANDIDATES = 100_000, 1_000
LONGEST_S, LARGEST_GIB = 10.0, 2.0
PRICES = (10.0, 1_000.0, 100_000.0)
MOST = 100


def main() -> None:
    """Measure; with --check exit 1 beyond a bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.best_schedule", description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=WINDOWS)
    parser.add_argument("--candidates", type=int, default=CANDIDATES)
    parser.add_argument("--check", action="store_true", help="exit 1 beyond a bound")
    options = parser.parse_args()
    rows = MadeUp(options.windows, options.candidates)
    started_s = time.process_time()
    hindsight = Hindsight(rows.candidates, options.windows, rows.losses(), [options.candidates])
    told([hindsight.best(price) for price in PRICES], [f"price {price:,.0f}" for price in PRICES])
    limited = hindsight.best_with_at_most(MOST)
    told(limited[9::30], [f"at most {most}" for most in range(10, MOST + 1, 30)])
    taken_s = time.process_time() - started_s - rows.making_s
    largest_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{options.windows:,} windows × {options.candidates:,} candidates: {taken_s:.1f} s of processor time, beside "
        f"{rows.making_s:.1f} s to make losses up; {largest_gib:.2f} GiB"
    )
    if options.check and (taken_s > LONGEST_S or largest_gib > LARGEST_GIB):
        sys.exit(f"beyond the bounds of {LONGEST_S:.0f} s and {LARGEST_GIB:.0f} GiB")


class MadeUp:
    """Losses of models that age."""

    def __init__(self, windows: int, candidates: int) -> None:
        dice = np.random.default_rng(0)
        self._hard = dice.random(windows)
        self._ages = 0.1 + np.arange(windows) / windows
        self.making_s = 0.0
        moments = np.linspace(0, windows - 1, candidates).astype(int).tolist()
        self.candidates = [Candidate(moment, 1.0, number) for number, moment in enumerate(moments)]
        self._initial = self._hard + 0.5

    def losses(self) -> Iterator[npt.NDArray[np.float64]]:
        """Of each candidate, one at a time, and of the model that is there at first."""
        for one in self.candidates:
            started_s = time.process_time()
            row = self._hard.copy()
            row[one.moment :] += self._ages[: len(row) - one.moment]
            self.making_s += time.process_time() - started_s
            yield row
        yield self._initial


def told(schedules: list[Schedule], names: list[str]) -> None:
    """Print what they come to."""
    for name, one in zip(names, schedules, strict=True):
        print(f"{name}: {len(one.trainings)} trainings, loss {one.loss:,.0f}")


if __name__ == "__main__":
    main()
