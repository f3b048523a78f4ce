"""What looks wrong in the times of a dataset's rows: sentences for people. None of it keeps a run from starting."""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterator, Sequence

import pyarrow as pa

from shared.config.system import Dataset
from shared.dataset.column_kinds import kind_of
from shared.dataset.known_file import known_schema
from shared.dataset.manifest import ManifestEntry
from shared.dataset.survey.times import Dated, FileSpan, Gap, TimeSurvey, time_survey
from shared.dataset.table import TableDataset
from shared.timestamps import MICROSECONDS_PER_S, format_timestamp

_MUCH_LONGER = 10  # times as long as the next shorter gap
_ROWS_TO_JUDGE = 10
_LATE_SHARE = 0.05  # of all rows, late for a single one
_MANY_LATE = 100
_MERE_JITTER = 0.01  # of a file's length, by which the next may begin before it ends
_DAY_US = 86_400 * MICROSECONDS_PER_S


def time_problems(dataset: TableDataset, found: TimeSurvey | None = None) -> list[str]:
    """One sentence for each thing that looks wrong, with row, file and value. Raises DataError.

    `found`: what was seen of all rows, where they were read already.
    """
    found = found or time_survey(dataset)
    told = [
        *_misdated(found, dataset),
        *_before(found, dataset),
        *_gaps(found, dataset),
        *_late(found, dataset),
        *_unit(found, dataset.config),
        *_order(found.files),
    ]
    return [f"dataset {dataset.config.name}: {sentence}" for sentence in told]


def file_order_problems(dataset: TableDataset) -> list[str]:
    """A sentence if files begin before the one read before them ends. Raises DataError."""
    if sum(entry.rows > 0 for entry in dataset.entries) < 2:
        return []
    return [f"dataset {dataset.config.name}: {sentence}" for sentence in _order(time_survey(dataset).files)]


def _misdated(found: TimeSurvey, dataset: TableDataset) -> Iterator[str]:
    """Dated too late to advance event time."""
    first = found.first_misdated
    if first is None:
        return
    count = "all rows are" if found.misdated == found.rows else _count(found.misdated)
    latest_us = int(dataset.latest_us(first.key, first.key + 1)[0])
    yield (
        f"{count} dated too late to advance event time: {_row(first, dataset)}, later than "
        f"{format_timestamp(latest_us)} (when the file was found by this machine's clock, plus future_skew). "
        f"Mend such rows, or raise storage.datasets.{dataset.config.name}.future_skew if their times are right."
    )


def _before(found: TimeSurvey, dataset: TableDataset) -> Iterator[str]:
    """Dated so far before the stream began that it is no mere lateness."""
    if found.earliest is None or found.began_us is None or found.ended_us is None:
        return
    if found.began_us - found.earliest.timestamp_us > max(found.ended_us - found.began_us, _DAY_US):
        yield (
            f"{_count(found.before)} dated before the first row, and the earliest is further from it than the last is: "
            f"{_row(found.earliest, dataset)}; the stream goes from {format_timestamp(found.began_us)} to "
            f"{format_timestamp(found.ended_us)}. Such rows are late: they have the event time of the row before them."
        )


def _gaps(found: TimeSurvey, dataset: TableDataset) -> Iterator[str]:
    """Leaps of event time that are longer than all the rest of the stream, and much longer than any other gap."""
    for gap in _leaps(found):
        yield (
            f"event time leaps at key {gap.key} in {dataset.file_of(gap.key)}, from "
            f"{format_timestamp(gap.to_us - gap.length_us)} to {format_timestamp(gap.to_us)}, longer than all the rest "
            "of the stream. If one of the two is a wrong date, mend it: `time` triggers, `last` and `every` windows go "
            "by event time."
        )


def _leaps(found: TimeSurvey) -> Sequence[Gap]:
    if found.rows < _ROWS_TO_JUDGE or found.began_us is None or found.ended_us is None:
        return ()
    rest_us, leaps = found.ended_us - found.began_us, 0
    for number, (gap, shorter) in enumerate(zip(found.gaps, found.gaps[1:], strict=False), 1):
        rest_us -= gap.length_us
        if gap.length_us > max(rest_us, _MUCH_LONGER * shorter.length_us):
            leaps = number
    return sorted(found.gaps[:leaps], key=lambda gap: gap.key)


def _late(found: TimeSurvey, dataset: TableDataset) -> Iterator[str]:
    """Rows for which event time does not move: many behind one row, or most of all."""
    if found.holder is None or found.rows < _ROWS_TO_JUDGE:
        return
    jitters = found.held < _MANY_LATE or found.late < found.rows / 2
    if found.held >= max(_ROWS_TO_JUDGE, _LATE_SHARE * found.rows) or not jitters:
        yield (
            f"{found.late:,} of {found.rows:,} rows are late, dated before one that came earlier, {found.held:,} of "
            f"them behind one row: {_row(found.holder, dataset)}. Late rows do not advance event time. If that date is "
            "wrong, mend it; rows in reverse order must be turned, as they are read as they stand in the files."
        )


def _unit(found: TimeSurvey, config: Dataset) -> Iterator[str]:
    """Whole numbers in a larger unit than `unit:` says: all times lie in the first weeks of 1970."""
    if config.unit is not None and found.ended_us is not None and 0 <= found.ended_us < 365 * _DAY_US:
        yield (
            f"the last row is dated {format_timestamp(found.ended_us)}; is `unit: {config.unit}` the unit of "
            f"{config.timestamp}?"
        )


def unused_keys(dataset: TableDataset) -> Iterator[str]:
    """A sentence for what config.yaml says of times and no file has any of."""
    config, start = dataset.config, f"dataset {dataset.config.name}: {dataset.config.time_key}"
    if config.format is None and config.zone is None:
        return
    types = {known_schema(entry, config).field(config.timestamp).type for entry in dataset.entries if entry.rows}
    shown = ", ".join(sorted(map(str, types)))
    if config.format is not None and {kind_of(one) for one in types} == {"time"}:
        yield f"{start}.format is of texts, and {config.timestamp} is {shown} in all files; it can be removed."
    if config.zone is not None and types and all(pa.types.is_timestamp(one) and one.tz for one in types):
        yield f"{start}.zone is of times that name none, and {config.timestamp} is {shown} in all files; remove it."


def _order(files: Sequence[FileSpan]) -> Iterator[str]:
    """Files that begin before the one read before them ends."""
    wrong = [
        (one, two)
        for one, two in zip(files, files[1:], strict=False)
        if two.first_us < one.latest_us - _MERE_JITTER * max(one.latest_us - one.first_us, 0)
    ]
    if not wrong:
        return
    before, after = wrong[0]
    several = len(wrong) > 1
    yield (
        f"{len(wrong)} of {len(files)} files {'begin' if several else 'begins'} before the file read before "
        f"{'them' if several else 'it'} ends, {'the first: ' if several else ''}{after.entry.file} begins at "
        f"{format_timestamp(after.first_us)}, {before.entry.file} ends at {format_timestamp(before.latest_us)}. "
        f"Files are read in the order of their names, and rows that come late do not advance event time. "
        f"{_remedy([file.entry for file in files])}"
    )


def _remedy(entries: Sequence[ManifestEntry]) -> str:
    """Numbers that are not padded are the usual cause."""
    names = sorted(entry.file for entry in entries)
    by_number = sorted(names, key=lambda name: [int(one) if one.isdigit() else one for one in re.split(r"(\d+)", name)])
    rename = "Name the files so that the order of their names is that of their times"
    if by_number != names:
        moved = next(one for one, two in zip(by_number, names, strict=True) if one != two)
        own = len(os.path.commonpath(names)) + 1  # where what tells them apart begins
        digits = max(len(one) for name in names for one in re.findall(r"\d+", name[own:]))
        padded = re.sub(r"\d+", lambda number: number[0].zfill(digits), moved[own:])
        rename = f"Pad the numbers in their names with zeros ({moved[own:]} → {padded})"
    return f"{rename}; where a run has read them already, give the dataset a new name as well."


def _count(rows: int) -> str:
    return "1 row is" if rows == 1 else f"{rows:,} rows are"


def _row(row: Dated, dataset: TableDataset) -> str:
    return f"key {row.key} in {dataset.file_of(row.key)} is dated {format_timestamp(row.timestamp_us)}"
