"""The one reading: times, label and features of every row, in stream order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from shared.clock_changes import ClockChanges
from shared.dataset.column_kinds import kind_of
from shared.dataset.event_time import running_event_time, sound
from shared.dataset.known_file import given_by_folders, known_schema
from shared.dataset.survey.column import ColumnSurvey
from shared.dataset.survey.labels import LabelSurvey
from shared.dataset.survey.times import TimeSurvey
from shared.dataset.survey.values import Values
from shared.dataset.survey.waiting import Waiting
from shared.dataset.table import TableDataset
from shared.dataset.timestamp_column import Times, times

_ROWS_AT_ONCE = 262_144


class Survey:
    """What was found of a dataset."""

    def __init__(self, dataset: TableDataset, labels: LabelSurvey | None = None, delay_us: int = 0) -> None:
        """`labels`: of a dataset whose labels stand in a table of their own; `delay_us`: after which those in rows are
        known.
        """
        self.dataset, self.config, self.labels = dataset, dataset.config, labels
        self._delay_us, self.known = delay_us, Waiting()  # from when each label is known that stands in its row
        self.types: dict[str, tuple[str, ...]] = {}  # column → its types, in the order in which files have them
        self.time_types: tuple[str, ...] = ()  # those of the timestamps
        self.later: dict[str, tuple[str, int]] = {}  # column that the first rows lack → where it is, in how many
        self.folders: set[str] = set()  # columns that only the names of folders say
        self.times, self.clock_changes = TimeSurvey(), ClockChanges()
        self.ends_us: tuple[int, int] | None = None  # the first and the last moment of all timestamps as they stand
        names = (self.config.label, *dataset.feature_columns)
        self.columns = {name: ColumnSurvey(is_text=self._is_text(name)) for name in names}
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
        own = [name for name in self.columns if self.labels is None or name != self.config.label]
        names = dict.fromkeys((self.config.timestamp, *own, *(() if self.labels is None else self.labels.key)))
        for key, rows in self.dataset.batches(list(names), 0, self.dataset.rows, _ROWS_AT_ONCE):
            read = times(rows.column(self.config.timestamp), key, self.dataset.file_of(key), self.config)
            event_time_us = self._look_at_times(read.us, key)
            self._note_ends(read.us)
            self.clock_changes = self.clock_changes.with_rows(read.marks, key, self.dataset.file_of)
            of_rows = (
                rows.column(self.config.label)
                if self.labels is None
                else self.labels.look_at(rows.select(list(self.labels.key)), read.us, event_time_us)
            )
            labels = self.label.look_at(of_rows)
            for name in self.dataset.feature_columns:
                values = self.columns[name].look_at(rows.column(name), labels if self.is_table else None)
                if name in self.copies and not _are_times(values, read.us):
                    self.copies.remove(name)
            yield read

    def _is_text(self, name: str) -> bool:
        if self.labels is not None and name == self.config.label:
            return self.labels.is_text
        return kind_of(self.dataset.schema.field(name).type) == "text"

    def _look_at_times(self, times: npt.NDArray[np.int64], key: int) -> npt.NDArray[np.int64]:
        """The event times of the rows from `key` on, (rows,)."""
        before_us = self.times.ended_us
        self.times.look_at(times, self.dataset)
        believed = sound(times, self.dataset.latest_us(key, key + len(times)))
        event_time_us = running_event_time(believed, self.times.began_us if before_us is None else before_us)
        self.known.add(event_time_us + self._delay_us, int(event_time_us[-1]))
        return event_time_us

    def _note_ends(self, times: npt.NDArray[np.int64]) -> None:
        before = self.ends_us or (int(times[0]), int(times[0]))
        self.ends_us = min(before[0], int(times.min())), max(before[1], int(times.max()))

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
                if name not in schema.names or (self.labels and name == self.config.label):
                    continue  # all rows of it lack the column, or it is another one that is called so
                types[str((self.dataset.schema if name in self.folders else schema).field(name).type)] = None
        self.later = {
            name: ("".join(next(iter(having.items()))), len(having)) for name, having in sorted(files.items())
        }
        self.types = {name: tuple(types) for name, types in found.items()}
        self.time_types = self.types[self.config.timestamp]
        if self.labels is not None:
            self.types[self.config.label] = self.labels.types


def survey(dataset: TableDataset, labels: LabelSurvey | None = None) -> Survey:
    """Look at all of it once. Raises DataError."""
    found = Survey(dataset, labels)
    for _ in found.read():
        pass
    return found


def _are_times(values: Values, times: npt.NDArray[np.int64]) -> bool:
    return values.kind == "time" and not values.nulls and bool((values.known.to_numpy() == times).all())
