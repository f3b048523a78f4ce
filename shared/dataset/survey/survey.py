"""The one reading: times, label and features of every row, in stream order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from shared.clock_changes import ClockChanges
from shared.dataset.column_kinds import kind_of
from shared.dataset.known_file import given_by_folders, known_schema
from shared.dataset.survey.column import ColumnSurvey
from shared.dataset.survey.times import TimeSurvey
from shared.dataset.survey.values import Values
from shared.dataset.table import TableDataset
from shared.dataset.timestamp_column import Times, times

_ROWS_AT_ONCE = 262_144


class Survey:
    """What was found of a dataset."""

    def __init__(self, dataset: TableDataset) -> None:
        self.dataset, self.config = dataset, dataset.config
        self.types: dict[str, tuple[str, ...]] = {}  # column → its types, in the order in which files have them
        self.time_types: tuple[str, ...] = ()  # those of the timestamps
        self.later: dict[str, tuple[str, int]] = {}  # column that the first rows lack → where it is, in how many
        self.folders: set[str] = set()  # columns that only the names of folders say
        self.times, self.clock_changes = TimeSurvey(), ClockChanges()
        names = (self.config.label, *dataset.feature_columns)
        self.columns = {name: ColumnSurvey(is_text=_is_text(dataset, name)) for name in names}
        self.copies = set(dataset.feature_columns)  # of the timestamp, row by row

    @property
    def label(self) -> ColumnSurvey:
        """The label's column."""
        return self.columns[self.config.label]

    @property
    def is_table(self) -> bool:
        """Whether features are columns, not images or texts."""
        return self.config.image is None and self.config.text is None

    def read(self) -> Iterator[Times]:
        """Look at every file and every row, piece by piece; yields the pieces' timestamps. Raises DataError."""
        self._look_at_schemas()
        names, label = dict.fromkeys((self.config.timestamp, *self.columns)), self.config.label
        for key, rows in self.dataset.batches(list(names), 0, self.dataset.rows, _ROWS_AT_ONCE):
            read = times(rows.column(self.config.timestamp), key, self.dataset.file_of(key), self.config)
            self.times.look_at(read.us, self.dataset)
            self.clock_changes = self.clock_changes.with_rows(read.marks, key, self.dataset.file_of)
            labels = self.label.look_at(rows.column(label))
            for name in self.dataset.feature_columns:
                values = self.columns[name].look_at(rows.column(name), labels if self.is_table else None)
                if name in self.copies and not _are_times(values, read.us):
                    self.copies.remove(name)
            yield read

    def _look_at_schemas(self) -> None:
        found: dict[str, dict[str, None]] = {name: {} for name in (*self.columns, self.config.timestamp)}
        files: dict[str, dict[str, str]] = {}
        for entry in (one for one in self.dataset.entries if one.rows):
            schema = known_schema(entry, self.config)
            for name in set(schema.names).difference(self.dataset.schema.names):
                since = f" from row {entry.first_row + 1:,} on" if entry.first_row else ""
                files.setdefault(name, {}).setdefault(entry.file, since)
            self.folders |= given_by_folders(entry, self.config).keys() & found.keys()
            for name, types in found.items():
                if name not in schema.names:  # all rows of it lack the column
                    continue
                types[str((self.dataset.schema if name in self.folders else schema).field(name).type)] = None
        self.later = {
            name: ("".join(next(iter(having.items()))), len(having)) for name, having in sorted(files.items())
        }
        self.types = {name: tuple(types) for name, types in found.items()}
        self.time_types = self.types[self.config.timestamp]


def survey(dataset: TableDataset) -> Survey:
    """Look at all of it once. Raises DataError."""
    found = Survey(dataset)
    for _ in found.read():
        pass
    return found


def _are_times(values: Values, times: npt.NDArray[np.int64]) -> bool:
    return values.kind == "time" and not values.nulls and bool((values.known.to_numpy() == times).all())


def _is_text(dataset: TableDataset, name: str) -> bool:
    return kind_of(dataset.schema.field(name).type) == "text"
