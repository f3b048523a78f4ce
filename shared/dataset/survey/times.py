"""What the times of a dataset's rows look like, from one pass over their timestamps: span, files, gaps, late rows."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from shared.dataset.event_time import NEVER_US, running_event_time, sound
from shared.dataset.manifest import ManifestEntry
from shared.dataset.table import TableDataset

GAPS_KEPT = 8
_ROWS_AT_ONCE = 262_144


@dataclass(frozen=True, kw_only=True)
class Dated:
    """A row and its timestamp."""

    key: int
    timestamp_us: int


@dataclass(frozen=True, order=True)
class Gap:
    """How far event time moves at one row, to that row's timestamp."""

    length_us: int
    key: int
    to_us: int


@dataclass(kw_only=True)
class FileSpan:
    """The times of one file, of rows that can have them; a file without such a row has none."""

    entry: ManifestEntry
    first_us: int
    latest_us: int


@dataclass(kw_only=True)
class TimeSurvey:
    """Of all rows so far, in stream order."""

    rows: int = 0
    began_us: int | None = None  # event time at the first row; None if no row has a timestamp that it can have
    ended_us: int | None = None  # and at the last
    misdated: int = 0  # rows that are dated later than they can be
    first_misdated: Dated | None = None
    late: int = 0  # rows that are dated before one that came earlier
    latest_us: int = 0  # the most by which one is
    before: int = 0  # rows that are dated before the stream began
    earliest: Dated | None = None  # of these
    holder: Dated | None = None  # the row whose timestamp the most rows behind it are late for
    held: int = 0  # these rows
    newest: Dated | None = None  # the last row so far at which event time moved
    behind_newest: int = 0  # late rows since
    gaps: list[Gap] = field(default_factory=list)  # the longest, longest first
    files: list[FileSpan] = field(default_factory=list)
    reached: int = 0  # the file that the next rows begin in

    def look_at(self, times: npt.NDArray[np.int64], dataset: TableDataset) -> None:
        """The timestamps of the next rows, shape (n,)."""
        believed = sound(times, dataset.latest_us(self.rows, self.rows + len(times)))
        _note_misdated(self, times, believed)
        _note_order(self, believed)
        self.reached = _note_files(self, dataset.entries, self.reached, believed)
        self.rows += len(times)


def time_survey(dataset: TableDataset, rows_at_once: int = _ROWS_AT_ONCE) -> TimeSurvey:
    """Look at the timestamp of every row, and at nothing else. Raises DataError for one that cannot be read."""
    found = TimeSurvey()
    for times in dataset.timestamp_batches(0, dataset.rows, rows_at_once):
        found.look_at(times, dataset)
    return found


def _note_misdated(found: TimeSurvey, times: npt.NDArray[np.int64], believed: npt.NDArray[np.int64]) -> None:
    far = np.flatnonzero(believed == NEVER_US)
    found.misdated += len(far)
    if len(far) and found.first_misdated is None:
        found.first_misdated = Dated(key=found.rows + int(far[0]), timestamp_us=int(times[far[0]]))


def _note_order(found: TimeSurvey, believed: npt.NDArray[np.int64]) -> None:
    sounds = believed != NEVER_US
    if not sounds.any():
        return
    if found.began_us is None or found.ended_us is None:
        first = int(sounds.argmax())
        found.began_us = found.ended_us = int(believed[first])
        found.newest = Dated(key=found.rows + first, timestamp_us=found.ended_us)
    event_time_us = running_event_time(believed, found.ended_us)
    lengths = np.diff(np.concatenate([[found.ended_us], event_time_us]))
    _note_early(found, found.began_us, np.where(sounds, believed, event_time_us))
    late = sounds & (believed < event_time_us)
    found.latest_us = max(found.latest_us, int((event_time_us - believed).max(where=late, initial=0)))
    _note_late(found, late, lengths > 0, event_time_us)
    _note_gaps(found, lengths, event_time_us)
    found.ended_us = int(event_time_us[-1])


def _note_gaps(found: TimeSurvey, lengths: npt.NDArray[np.int64], event_time_us: npt.NDArray[np.int64]) -> None:
    shortest_us = found.gaps[-1].length_us if len(found.gaps) == GAPS_KEPT else 0
    rows = np.flatnonzero(lengths >= max(shortest_us, 1))
    rows = rows[np.argpartition(lengths[rows], -GAPS_KEPT)[-GAPS_KEPT:]] if len(rows) > GAPS_KEPT else rows
    gaps = [Gap(int(lengths[row]), found.rows + int(row), int(event_time_us[row])) for row in rows]
    found.gaps = heapq.nlargest(GAPS_KEPT, [*found.gaps, *gaps])


def _note_early(found: TimeSurvey, began_us: int, times: npt.NDArray[np.int64]) -> None:
    early = np.flatnonzero(times < began_us)
    found.before += len(early)
    if len(early):
        row = int(early[times[early].argmin()])
        if found.earliest is None or times[row] < found.earliest.timestamp_us:
            found.earliest = Dated(key=found.rows + row, timestamp_us=int(times[row]))


def _note_late(
    found: TimeSurvey, late: npt.NDArray[np.bool_], moves: npt.NDArray[np.bool_], event_time_us: npt.NDArray[np.int64]
) -> None:
    """How many rows are late, and for which row: the last before them at which event time moved."""
    found.late += int(late.sum())
    counts = np.bincount(np.cumsum(moves), weights=late).astype(int)
    counts[0] += found.behind_newest
    rows = np.flatnonzero(moves)
    for number in (int(counts.argmax()), len(rows)):
        found.behind_newest = int(counts[number])
        if number > 0:  # else it is the newest before this batch
            row = int(rows[number - 1])
            found.newest = Dated(key=found.rows + row, timestamp_us=int(event_time_us[row]))
        if found.behind_newest > found.held:
            found.held, found.holder = found.behind_newest, found.newest


def _note_files(
    found: TimeSurvey, entries: Sequence[ManifestEntry], first_file: int, believed: npt.NDArray[np.int64]
) -> int:
    """Take in the rows of each file that the batch reaches; the file that the next batch begins in."""
    stop_key = found.rows + len(believed)
    for number in range(first_file, len(entries)):
        entry = entries[number]
        if entry.first_key >= stop_key:
            return number
        times = believed[max(entry.first_key - found.rows, 0) : entry.stop_key - found.rows]
        times = times[times != NEVER_US]
        # what was found of one file in pieces is one file
        if len(times) and found.files and found.files[-1].entry.file == entry.file:
            found.files[-1].latest_us = max(found.files[-1].latest_us, int(times.max()))
        elif len(times):
            found.files.append(FileSpan(entry=entry, first_us=int(times[0]), latest_us=int(times.max())))
        if entry.stop_key > stop_key:
            return number
    return len(entries)
