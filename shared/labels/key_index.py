"""Which rows, or label rows, have a key: sorted runs, of which those of like size are merged as they come.

A key costs a few copies in its life, and a search looks into as many runs as there are sizes, and into the largest
ones, which are merged no more.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shared.labels.key_hash import Keys
from shared.labels.resident import Resident
from shared.labels.run import Run, merged

Index = npt.NDArray[np.int64]


class Sizes(NamedTuple):
    """How many keys a run may have."""

    in_memory: int = 1 << 18  # larger ones are files
    largest: int = 1 << 24
    at_once: int = 4  # runs of like size that are merged


class _Match(NamedTuple):
    """Where equal hashes lie: for each place `at` of the one side `counts` places from `first` on of the other."""

    run: Run
    of_run: bool  # `at` are places in the run; else in what was asked
    at: Index
    first: Index
    counts: Index


class Matches:
    """What a search found: how many hashes are equal, and which keys."""

    def __init__(self, asked: Keys, found: list[_Match], resident: Resident) -> None:
        self._asked, self._found, self._resident = asked, found, resident
        self.count = sum(int(match.counts.sum()) for match in found)

    def pairs(self) -> tuple[Index, Index]:
        """(id of what was asked, id in the index) of each pair of equal keys, both (pairs,)."""
        parts = [self._pairs_of(match) for match in self._found]
        if not parts:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        return np.concatenate([one for one, _ in parts]), np.concatenate([other for _, other in parts])

    def _pairs_of(self, match: _Match) -> tuple[Index, Index]:
        few = np.repeat(match.at, match.counts)
        before = np.cumsum(match.counts) - match.counts
        many = np.arange(len(few)) - np.repeat(before - match.first, match.counts)
        asked, in_run = (many, few) if match.of_run else (few, many)
        run = match.run
        run.touch(self._resident, 2 * len(in_run), 2 * int(in_run.max() - in_run.min() + 1))
        same = _same(self._asked, asked, run.keys, in_run)
        if same is not None:
            asked, in_run = asked[same], in_run[same]
        return self._asked.ids[asked], run.keys.ids[in_run]


def _same(one: Keys, at_one: Index, other: Keys, at_other: Index) -> npt.NDArray[np.bool_] | None:
    """Which keys of equal hash are equal; None: all."""
    if one.check is None and other.check is None:
        return None
    first = np.uint64(0) if one.check is None else one.check[at_one]
    second = np.uint64(0) if other.check is None else other.check[at_other]
    return np.asarray(first == second)


class KeyIndex:
    """Keys with their ids, to be found again. `folder` holds large runs while they are written."""

    def __init__(self, folder: Path, name: str, sizes: Sizes, resident: Resident) -> None:
        self._folder, self._name, self._sizes, self._resident = folder, name, sizes, resident
        self._runs: list[Run] = []
        self._files = 0

    def find(self, asked: Keys) -> Matches:
        """Search for keys; those of the answer are read from it later."""
        found = []
        if asked.rows:
            low, high = asked.order[0], asked.order[-1]
            for run in self._runs:
                if run.low <= high and low <= run.high:
                    match = self._search(run, asked)
                    if len(match.at):
                        found.append(match)
        return Matches(asked, found, self._resident)

    def _search(self, run: Run, asked: Keys) -> _Match:
        """The fewer ones are searched for in the more."""
        start, stop = _between(run.keys.order, asked.order[0], asked.order[-1])
        first, last = _between(asked.order, run.low, run.high)
        ours, theirs = run.keys.order[start:stop], asked.order[first:last]
        run.touch(self._resident, min(len(theirs), len(ours)), len(ours))
        if len(ours) < len(theirs):
            at, places, counts = _equal(ours, theirs)
            return _Match(run, True, at + start, places + first, counts)
        at, places, counts = _equal(theirs, ours)
        return _Match(run, False, at + first, places + start, counts)

    def add(self, keys: Keys) -> None:
        """Remember keys, in order. Raises OSError where there is no room."""
        if not keys.rows:
            return
        self._runs.append(Run(keys))
        while True:
            runs = self._alike()
            if not runs:
                return
            rows = sum(run.rows for run in runs)
            path = None
            if rows > self._sizes.in_memory:
                path = self._folder / f"{self._name}-{self._files}"
                self._files += 1
            together = merged(runs, self._resident, path)
            self._runs = [run for run in self._runs if run not in runs] + [together]

    def _alike(self) -> list[Run]:
        """Runs of like size that are enough to be merged, the oldest first."""
        classes: dict[int, list[Run]] = {}
        for run in self._runs:
            if run.rows <= self._sizes.largest // 2:
                classes.setdefault(run.rows.bit_length() // 2, []).append(run)
        for _, runs in sorted(classes.items()):
            if len(runs) >= self._sizes.at_once:
                fit = np.cumsum([run.rows for run in runs]) <= self._sizes.largest
                return runs[: max(int(fit.sum()), 2)]
        return []


def _between(order: npt.NDArray[np.uint64], low: np.uint64, high: np.uint64) -> tuple[int, int]:
    return int(np.searchsorted(order, low, "left")), int(np.searchsorted(order, high, "right"))


def _equal(few: npt.NDArray[np.uint64], many: npt.NDArray[np.uint64]) -> tuple[Index, Index, Index]:
    """Places of `few` that stand in `many`, where there they begin, and how many they are."""
    if not len(few) or not len(many):
        nothing = np.empty(0, np.int64)
        return nothing, nothing, nothing
    first = np.searchsorted(many, few, "left")
    at = np.flatnonzero(many[np.minimum(first, len(many) - 1)] == few)
    first = first[at]
    after = np.minimum(first + 1, len(many) - 1)
    several = np.flatnonzero((many[after] == few[at]) & (after > first))
    counts = np.ones(len(at), np.int64)
    if len(several):
        counts[several] = np.searchsorted(many, few[at[several]], "right") - first[several]
    return at, first, counts
