"""The files of the table of labels: each look finds what has come, and its rows can be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from shared.dataset.growth import Rest
from shared.dataset.key_columns import other
from shared.dataset.labels_table import LabelRows, label_rows
from shared.dataset.manifest import ManifestEntry
from shared.dataset.table import TableDataset, open_dataset
from shared.timestamps import now_us
from supervisor.core.events import LabelsDiscovered
from supervisor.run.observe.file_look import Look, look_at_files
from supervisor.system.unread import Telling


class LabelFiles:
    """What is found is kept: positions are for ever, as keys are."""

    def __init__(self, table: TableDataset, telling: Telling) -> None:
        """`table`: as `shared.dataset.labels_table` has it, with the entries that were found so far."""
        self._table, self._telling = table, telling

    @property
    def rows(self) -> int:
        """How many label rows were found: the position of the next."""
        return self._table.rows

    @property
    def table(self) -> TableDataset:
        """As far as it was found."""
        return self._table

    def look(
        self, rows: TableDataset, artifacts_root: str, rest: Rest, next_key: int, event_time_us: int | None
    ) -> tuple[Look, LabelsDiscovered | None]:
        """What is there now, and what of it is new, as an event; None if nothing is.

        `rows`: whose labels they are; `next_key`: the row to be observed next; `event_time_us`: so far. Raises
        DataError for a file whose rows have positions and that is not as it was, or does not fit.
        """
        keys = self._table.feature_columns
        look = look_at_files(self._table, artifacts_root, (), rest, self._telling, other(rows, keys, "the rows"))
        new = self._take(look.entries)
        if not new:
            return look, None
        return look, LabelsDiscovered(time_us=now_us(), entries=new, from_key=next_key, event_time_us=event_time_us)

    def _take(self, entries: Sequence[ManifestEntry]) -> tuple[ManifestEntry, ...]:
        new = tuple(entries[len(self._table.entries) :])
        if new:
            self._table = open_dataset(self._table.config, entries)
        return new

    def read(self, first_position: int, stop_position: int | None = None) -> Iterator[LabelRows]:
        """The label rows from one position to before another, or all from it on, piece by piece. Raises DataError."""
        return label_rows(self._table, first_position, self.rows if stop_position is None else stop_position)


class LabelsOfRun(NamedTuple):
    """The table of labels that a run reads, and where it writes which label belongs to which row."""

    files: LabelFiles
    index_folder: Path  # this session's, absent when it begins
