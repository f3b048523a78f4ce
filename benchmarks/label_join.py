"""`python -m benchmarks.label_join --rows 10000000`: how fast rows and their labels are joined, and in how much memory.

Rows come in the order of their keys. The label of each is known a while later, so that 1 % of all rows wait; labels are
found shuffled, and 1 % of them are corrected later. Printed are rows per second, of processor time and by the clock,
without what it takes to make up the data, and the largest memory of this process, which does all of it. At the end
labels are read back as of several moments and compared with what was made up. Bounds: 1 GB; up to 10 million rows also
1,000,000 rows a second of processor time for whole numbers, 300,000 for random texts.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.processes import end_in_order_when_asked
from shared.labels.as_of import FINAL, AsOf
from shared.labels.index import LabelIndex
from shared.labels.writer import LabelIndexWriter
from shared.split import splitmix64

LARGEST_MB = 1000.0
FEWEST_A_SECOND = {"number": 1_000_000, "text": 300_000}
_MANY_ROWS = 10_000_000  # up to so many the rate is bounded
_STEP_US = 1_000
_WAITING = 100  # one of so many rows waits
_CORRECTED = 100  # one of so many labels is corrected
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)

Whole = npt.NDArray[np.int64]


class Times:
    """Seconds spent on joining."""

    def __init__(self) -> None:
        self.cpu_s = self.wall_s = 0.0

    def __enter__(self) -> None:
        self._cpu_s, self._wall_s = time.process_time(), time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.cpu_s += time.process_time() - self._cpu_s
        self.wall_s += time.perf_counter() - self._wall_s


class Table:
    """Rows and labels of a stream: all of them follow from a row's number."""

    def __init__(self, rows: int, kind: str) -> None:
        self.rows, self.kind = rows, kind
        self.late = max(rows // _WAITING, 1)  # rows that come between a row and its label

    def keys(self, ids: Whole) -> pa.Table:
        """The key column of rows."""
        if self.kind == "number":
            return pa.table({"id": ids})
        digits = _HEX[splitmix64(ids.astype(np.uint64)).view(np.uint8).reshape(-1, 8)[:, :, None] >> [4, 0] & 15]
        offsets = pa.array(np.arange(len(ids) + 1, dtype=np.int32) * 16)
        return pa.table({"id": pa.StringArray.from_buffers(len(ids), offsets.buffers()[1], pa.py_buffer(digits))})

    def times_us(self, ids: Whole) -> Whole:
        """Event times of rows."""
        return ids * _STEP_US

    def known_us(self, ids: Whole) -> Whole:
        """When the label of a row is known at first."""
        spread = (splitmix64(ids.astype(np.uint64) + np.uint64(1)) % np.uint64(self.late)).astype(np.int64)
        return self.times_us(ids) + (self.late // 2 + spread) * _STEP_US

    def values(self, ids: Whole) -> Whole:
        """The label of a row at first."""
        return (splitmix64(ids.astype(np.uint64)) & np.uint64(3)).astype(np.int64)

    def corrected(self, ids: Whole) -> Whole:
        """Those of the rows whose label is corrected, twice `late` rows after the first one was known."""
        return ids[splitmix64(ids.astype(np.uint64) + np.uint64(2)) % np.uint64(_CORRECTED) == 0]


def main() -> None:
    """Measure; with --check exit 1 beyond a bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.label_join", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--batch", type=int, default=100_000, help="rows that are observed together")
    parser.add_argument("--keys", choices=("number", "text"), default="number")
    parser.add_argument("--all-at-start", action="store_true", help="find all labels before the first row")
    parser.add_argument("--folder", help="where the index is written; default: the temporary folder")
    parser.add_argument("--check", action="store_true", help="exit 1 beyond 1 GB or below the rate")
    options = parser.parse_args()
    end_in_order_when_asked()
    with tempfile.TemporaryDirectory(prefix="modyn-labels-", dir=options.folder) as name:
        folder, table, times = Path(name), Table(options.rows, options.keys), Times()
        join(folder, table, times, options.batch, options.all_at_start)
        rate, largest_mb = options.rows / times.cpu_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        clock = options.rows / times.wall_s
        disk_gb = sum(file.stat().st_blocks for file in folder.rglob("*") if file.is_file()) * 512 / 1e9
        print(
            f"{options.rows:,} rows, keys: {options.keys}; {rate:,.0f} rows/s of processor time, {clock:,.0f} by clock"
        )
        print(f"memory {largest_mb:.0f} MB, index {disk_gb:.1f} GB")
        compare(folder, table)
    slow = options.rows <= _MANY_ROWS and rate < FEWEST_A_SECOND[options.keys]
    if options.check and (slow or largest_mb > LARGEST_MB):
        sys.exit(f"beyond {LARGEST_MB:.0f} MB, or fewer than {FEWEST_A_SECOND[options.keys]:,} rows/s")


def join(folder: Path, table: Table, times: Times, batch: int, at_start: bool) -> None:
    """Have all rows and labels come, a batch at a time."""
    writer = LabelIndexWriter(folder, None)
    shown = time.monotonic()
    if at_start:
        for first in range(0, table.rows, batch):
            find(writer, table, times, np.arange(first, min(first + batch, table.rows)), 0)
    for first in range(0, table.rows, batch):
        ids = np.arange(first, min(first + batch, table.rows))
        if not at_start:
            behind = ids - table.late
            find(writer, table, times, behind[behind >= 0], first)
        keys, times_us = table.keys(ids), table.times_us(ids)
        with times:
            writer.observe(first, [keys], times_us)
            writer.known_at(int(ids[-1]))
        if time.monotonic() - shown > 10:
            shown = time.monotonic()
            print(f"{first + len(ids):,} rows, {writer.waiting:,} wait", file=sys.stderr)


def find(writer: LabelIndexWriter, table: Table, times: Times, ids: Whole, from_key: int) -> None:
    """The labels of some rows, shuffled, and corrections of labels found before."""
    ids = np.random.default_rng(len(ids) and int(ids[0])).permutation(ids)
    again = table.corrected(ids - 2 * table.late)
    again = again[again >= 0]
    keys = table.keys(np.r_[ids, again])
    known_us = np.r_[table.known_us(ids), table.known_us(again) + 2 * table.late * _STEP_US]
    labels = pa.chunked_array([np.r_[table.values(ids), table.values(again) + 4]])
    with times:
        writer.found(writer.position, keys, known_us, labels, from_key)


def compare(folder: Path, table: Table) -> None:
    """Read labels of some ranges of rows back, final and as of some moment. Raises AssertionError."""
    index, random = LabelIndex(folder), np.random.default_rng(0)
    found_until = table.rows - 4 * table.late  # labels and corrections of rows up to it were found for sure
    for _ in range(20):
        first = int(random.integers(0, max(found_until - 1000, 1)))
        ids = np.arange(first, min(first + 1000, found_until))
        is_corrected = np.isin(ids, table.corrected(ids))
        final = index.labels(ids, FINAL)
        assert final.to_pylist() == (table.values(ids) + 4 * is_corrected).tolist()
        moment = int(table.known_us(ids).mean())
        then = index.labels(ids, AsOf(event_time_us=moment, position=None))
        known = table.known_us(ids) <= moment
        assert then.equals(pa.array(table.values(ids), mask=~known))


if __name__ == "__main__":
    main()
