"""Which labels are known at a trigger, where they stand in a table of their own: joined with the rows as both come."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.config.system import Dataset
from shared.dataset.table import ROWS_AT_ONCE, TableDataset
from shared.errors import ArtifactError, RunFailedError
from shared.labels.writer import LabelIndexWriter
from shared.timestamps import MICROSECONDS_PER_S
from supervisor.core.events import LabelsDiscovered
from supervisor.core.seen import Asked, Fired, LabelsKnown, Settled
from supervisor.core.state import RunState
from supervisor.core.stream import LabelFind
from supervisor.run.observe.label_files import LabelFiles, LabelsOfRun
from supervisor.run.observe.labelling import too_early


class InATable:
    """Keeps an index of which label belongs to which row, that workers read, and asks it.

    After a resume it is written anew: rows and labels are read again, and each label is found before the row before
    which it was found then.
    """

    workers_read = True

    def __init__(self, folder: Path, dataset: Dataset, files: LabelFiles, finds: Iterable[LabelFind]) -> None:
        """`folder`: of the index, absent; `finds`: when labels were found so far. Raises ArtifactError."""
        labels = dataset.labels
        assert labels is not None, f"dataset {dataset.name} has a table of labels"
        patience_us = None if labels.patience_s is None else round(labels.patience_s * MICROSECONDS_PER_S)
        self._folder = folder
        with self._writing():
            self._writer = LabelIndexWriter(folder, patience_us)
        self._keys, self._files, self._finds = labels.key, files, list(finds)
        self._taken = 0  # of the finds
        self._first_key = self._stop_key = 0  # of the newest rows
        self._begins: int | None = None  # the first row of all
        self._before: tuple[int, int] | None = None  # what is known at the row before the newest ones
        self._event_time_us: int | None = None
        self._streamed: TableDataset | None = None
        self._stream: Iterator[tuple[int, pa.Table]] = iter(())
        self._rest: pa.Table | None = None  # of what was read last

    @classmethod
    def of(cls, labels: LabelsOfRun, dataset: Dataset, state: RunState) -> InATable:
        """That of a run, as far as its labels were found. Raises ArtifactError."""
        finds = state.stream.label_finds
        return cls(labels.index_folder, dataset, labels.files, [finds[number] for number in range(len(finds))])

    def observe(self, first_key: int, event_time_us: npt.NDArray[np.int64], dataset: TableDataset) -> None:
        """The next rows; labels that were found before one of them come first, those found right behind them last."""
        if len(event_time_us) == 0:
            return
        stop_key = first_key + len(event_time_us)
        self._begins = first_key if self._begins is None else self._begins
        self._before = self._writer.known_at(first_key - 1) if first_key > self._begins else None
        self._take_finds(before_key=stop_key)
        if self._event_time_us is not None:  # rows before those that are followed may be dated later
            event_time_us = np.maximum(event_time_us, self._event_time_us)
        keys = self._key_columns(first_key, stop_key, dataset)
        with self._writing():
            self._writer.observe(first_key, keys, event_time_us)
        self._first_key, self._stop_key, self._event_time_us = first_key, stop_key, int(event_time_us[-1])
        self._take_finds(before_key=stop_key + 1)

    def found(self, events: Iterable[LabelsDiscovered]) -> None:
        """Labels were found."""
        self._finds += [LabelFind(one.entries[-1].stop_key, one.from_key) for one in events]
        self._take_finds(before_key=self._stop_key + 1)

    def at(self, row: Fired | Asked) -> LabelsKnown:
        """What a trigger or question of the newest rows knows, or of the row before them."""
        if row.key < self._first_key - 1:
            raise RunFailedError(too_early(row, self._first_key))
        known = self._before if row.key < self._first_key else self._writer.known_at(row.key)
        finds = bisect_right(self._finds, row.key, key=lambda find: find.from_key)
        return LabelsKnown(
            key=known[0] if known else None,
            event_time_us=known[1] if known else None,
            position=self._finds[finds - 1].stop_position if finds else 0,
        )

    @property
    def settled(self) -> Settled:
        """How far all rows seen are known or given up."""
        writer = self._writer
        return Settled(key=writer.settled_key, position=writer.position, unlabelled=writer.unlabelled)

    @property
    def waiting(self) -> int:
        """Those that are neither known nor given up."""
        return self._writer.waiting

    def _take_finds(self, before_key: int) -> None:
        """Those that were found before a row that comes before this one."""
        while self._taken < len(self._finds) and self._finds[self._taken].from_key < before_key:
            find, stop_key = self._finds[self._taken], self._stop_key
            for piece in self._files.read(self._writer.position, find.stop_position):
                from_key = max(find.from_key, stop_key)
                with self._writing():
                    self._writer.found(piece.first_position, piece.keys, piece.known_us, piece.labels, from_key)
            self._taken += 1

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ArtifactError(
                f"The index of labels in {self._folder} could not be written: {error}. Make room there, then --resume."
            ) from error

    def _key_columns(self, first_key: int, stop_key: int, dataset: TableDataset) -> list[pa.Table]:
        """Those of the next rows, read on where those before ended."""
        if self._streamed is not dataset or self._stop_key != first_key:
            self._streamed = dataset
            self._stream = dataset.batches(list(self._keys), first_key, dataset.rows, ROWS_AT_ONCE)
            self._rest = None
        parts: list[pa.Table] = []
        missing = stop_key - first_key
        while missing > 0:
            rows = next(self._stream)[1] if self._rest is None else self._rest
            parts.append(rows.slice(0, missing))
            self._rest = rows.slice(missing) if rows.num_rows > missing else None
            missing -= parts[-1].num_rows
        return parts
