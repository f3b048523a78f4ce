"""What is told of a dataset before a run, as `validate --json` prints it; docs/data.md says what each key means."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import msgspec

from shared.dataset.survey.becoming import becomes, nulls_become, time_becomes
from shared.dataset.survey.column import ColumnSurvey
from shared.dataset.survey.labels import LabelTable
from shared.dataset.survey.survey import Survey
from shared.dataset.survey.suspicions import suspicions
from shared.dataset.survey.time_read import Time, time_read
from shared.dataset.time_problems import time_problems, unused_keys
from shared.timestamps import MICROSECONDS_PER_S, format_timestamp

Value = int | float | str


class ClassRows(msgspec.Struct, frozen=True, kw_only=True):
    """One class of the label."""

    label: Value
    rows: int
    share: float  # of the rows that have a label


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """What label and features have in common."""

    name: str
    types: tuple[str, ...]  # as in the files, in the order of these; several where a column widens
    nulls: int
    nulls_become: str | None
    distinct: int | None  # None: more than were counted, or none were
    minimum: Value | None  # of numbers and times
    maximum: Value | None


class Label(Column, frozen=True, kw_only=True):
    """The label; of classes their rows, the commonest first, of other numbers mean and deviation."""

    classes: tuple[ClassRows, ...] | None
    mean: float | None
    std: float | None


class Feature(Column, frozen=True, kw_only=True):
    """A feature."""

    folder: bool  # only the names of folders say it
    becomes: str


class Understood(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset."""

    name: str
    uri: str
    rows: int
    files: int
    pieces: int  # more than files where a file has grown
    size_bytes: int
    first_timestamp: str | None  # of event time; None where no row has a timestamp that it can have
    last_timestamp: str | None
    late_rows: int
    late_by_s: float  # at most
    misdated_rows: int
    time: Time
    label: Label
    labels: LabelTable | None = None  # None: they stand in the rows
    features: tuple[Feature, ...]


def understand(found: Survey) -> tuple[Understood, tuple[str, ...]]:
    """What a dataset holds, and what looks wrong, once all of it was read."""
    told = (f"dataset {found.config.name}: {sentence}" for sentence in suspicions(found))
    unused = unused_keys(found.dataset), *([] if found.labels is None else [unused_keys(found.labels.table)])
    return _understood(found), (*time_problems(found.dataset, found.times), *chain(*unused), *told)


def _understood(found: Survey) -> Understood:
    dataset, times, entries = found.dataset, found.times, found.dataset.entries
    return Understood(
        name=dataset.config.name,
        uri=dataset.config.uri,
        rows=dataset.rows,
        files=len({entry.file for entry in entries}),
        pieces=len(entries),
        size_bytes=sum({entry.file: entry.size_bytes for entry in entries}.values()),
        first_timestamp=None if times.began_us is None else format_timestamp(times.began_us),
        last_timestamp=None if times.ended_us is None else format_timestamp(times.ended_us),
        late_rows=times.late,
        late_by_s=times.latest_us / MICROSECONDS_PER_S,
        misdated_rows=times.misdated,
        time=time_read(found.config, found.time_types, found.clock_changes),
        label=_label(found),
        labels=None if found.labels is None else found.labels.understood(),
        features=(*(_feature(found, name) for name in dataset.feature_columns), *_of_time(found)),
    )


def _label(found: Survey) -> Label:
    column, name = found.label, found.config.label
    classes = tuple(_classes(column)) if _is_class(column) else None
    moments = column.moments
    mean, std = (None, None) if classes is not None else (moments.mean, moments.std)
    return Label(**_common(found, name), classes=classes, mean=mean, std=std)


def _is_class(column: ColumnSurvey) -> bool:
    """Texts and few whole numbers, also those that are written as fractions, name classes."""
    if column.distinct.count is None:
        return False
    return all(isinstance(one, str) or float(one).is_integer() for one in column.distinct.found)  # type: ignore[arg-type]


def _classes(column: ColumnSurvey) -> Iterator[ClassRows]:
    rows_of = {value: rows for value, (_, rows) in column.distinct.found.items()}
    for value, rows in sorted(rows_of.items(), key=lambda one: (-one[1], str(one[0]))):
        label = value if isinstance(value, str) else int(value)  # type: ignore[call-overload]
        yield ClassRows(label=label, rows=rows, share=rows / column.known)


def _feature(found: Survey, name: str) -> Feature:
    return Feature(**_common(found, name), folder=name in found.folders, becomes=becomes(found, name))


def _of_time(found: Survey) -> Iterator[Feature]:
    """The timestamp, where a model sees something of it."""
    config, name = found.config, found.config.timestamp
    if config.time_features:
        first, last = (None, None) if found.ends_us is None else map(format_timestamp, found.ends_us)
        yield Feature(
            name=name,
            types=found.types[name],
            nulls=0,
            nulls_become=None,
            distinct=None,
            minimum=first,
            maximum=last,
            folder=name in found.folders,
            becomes=time_becomes(config),
        )


def _common(found: Survey, name: str) -> dict[str, Any]:
    column = found.columns[name]
    minimum, maximum = (_shown(end, column) for end in (column.moments.minimum, column.moments.maximum))
    return {
        "name": name,
        "types": found.types[name],
        "nulls": column.nulls,
        "nulls_become": nulls_become(found, name),
        "distinct": column.distinct.count or None,
        "minimum": minimum,
        "maximum": maximum,
    }


def _shown(end: float | None, column: ColumnSurvey) -> Value | None:
    if end is None or "time" not in column.kinds:
        return float(end) if end is not None and "number" in column.kinds else end
    try:
        return format_timestamp(int(end))
    except OverflowError:  # beyond the years 1 to 9999
        return end
