"""Whether the rows of one file fit a dataset: its columns, their types, and what stands in them; sentences if not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import msgspec
import pyarrow as pa

from shared.config.system import Dataset
from shared.dataset.column_kinds import alike, kind_of
from shared.dataset.files import format_in
from shared.dataset.formats.unpacked import SAY_ENCODING
from shared.dataset.known_file import known_schema
from shared.dataset.manifest import MEND_IN_PLACE, MEND_THE_ROW, ManifestEntry
from shared.dataset.table import TableDataset
from shared.dataset.timestamp_column import microseconds
from shared.errors import DataError
from shared.words import meant

_KEYED = re.compile(r"\b(of|near|from) key (\d+)\b")
_NULL = re.compile(r" row \d+ is (null|nan)")


class Misfit(NamedTuple):
    """Why the rows of a file get no keys."""

    why: Literal["unreadable", "unfinished", "columns", "rows"]  # unfinished: being written to; rows: some of them
    sentences: tuple[str, ...]


def judge(candidate: ManifestEntry, first: ManifestEntry | None, config: Dataset, also: Sequence[str]) -> Misfit | None:
    """What keeps the candidate's rows from getting keys; None if they fit.

    `first` is the first entry with rows, whose types all others share: None if the candidate is it. Each row is read
    once. Raises DataError if the columns of either cannot be read.
    """
    if candidate.rows == 0:  # it decides nothing, and may have any columns
        return None
    entry = msgspec.structs.replace(candidate, first_key=first.stop_key if first else 0)
    dataset = TableDataset(config, [first, entry] if first else [entry])
    told = absent_columns(dataset, entry, also) or [
        *(unusable_types(dataset) if first is None else ()),
        *differing_columns(dataset, entry, also),
    ]
    if told:
        return Misfit("columns", tuple(told))
    unusable = _by_row(unusable_row(dataset, entry), entry)
    if not unusable:
        return None
    # What is no null and comes first is no mishap of a row: the unit is another, or the labels are texts.
    return Misfit("rows" if first or _NULL.search(unusable) else "columns", (unusable,))


def wanted_columns(dataset: TableDataset, also: Sequence[str]) -> list[str]:
    """The columns that each file must have; `also` are those that keep rows together, beside what the dataset is."""
    return list(dict.fromkeys([dataset.config.timestamp, dataset.config.label, *dataset.feature_columns, *also]))


def absent_columns(dataset: TableDataset, entry: ManifestEntry, also: Sequence[str]) -> list[str]:
    """Columns that a file lacks, or has more than once. Raises DataError."""
    names = known_schema(entry, dataset.config).names
    return [
        f"dataset {dataset.config.name}: {entry.file} {wrong_count(name, names, by='data.split.by' * (name in also))}"
        for name in wanted_columns(dataset, also)
        if names.count(name) != 1
    ]


def wrong_count(name: str, names: Sequence[str], by: str = "") -> str:
    """What is wrong with columns that have this name more than once, or never. `by` is the key that names it."""
    if name in names:
        return f"has {names.count(name)} columns {name}; rename all but one."
    near = meant(name, names)
    hint = f"did you mean {near}?" if near else f"its columns are {', '.join(names[:20])}."
    return f"has no column {name}{f', which {by} names' if by else ''}; {hint}"


def unusable_types(dataset: TableDataset) -> Iterator[str]:
    """Columns whose type in the first file cannot be used; none of them may be absent there."""
    config, start = dataset.config, f"dataset {dataset.config.name}:"
    types = {name: dataset.schema.field(name).type for name in dataset.schema.names if _once(name, dataset)}
    timestamp = types[config.timestamp]
    if kind_of(timestamp) not in ("time", "text", "whole number", "number") or pa.types.is_boolean(timestamp):
        yield f"{start} {config.timestamp} is {timestamp}; a timestamp, ISO text or number is needed."
    elif kind_of(timestamp) in ("whole number", "number") and config.unit is None:
        yield from _first_moment(dataset)
    if config.text is not None and kind_of(types[config.text]) != "text":
        yield f"{start} {config.text} is {types[config.text]}; text is needed."
    file = dataset.entries[0].file
    if config.image is None and config.text is None:
        usable = ("number", "whole number", "text", "time", *(["nothing"] if config.nulls.features == "impute" else []))
        for name in dataset.feature_columns:
            if kind_of(types[name]) not in usable:
                yield (
                    f"{start} feature {name} is {types[name]}; numbers, booleans, strings and dates can be used. "
                    f"List the usable columns under features{_or_encoding(config, file, types[name])}."
                )


def _first_moment(dataset: TableDataset) -> Iterator[str]:
    """What is wrong with the first row's timestamp."""
    try:
        dataset.timestamps_us(0, 1)
    except DataError as error:
        yield str(error)


def _or_encoding(config: Dataset, file: str, arrow_type: pa.DataType) -> str:
    """What is offered where the values of a text file are bytes: they are no UTF-8."""
    is_text_file = hasattr(format_in(config, file), "encoding")
    return f"; {SAY_ENCODING}" if is_text_file and pa.types.is_binary(arrow_type) else ""


def _once(name: str, dataset: TableDataset) -> bool:
    return bool(dataset.schema.names.count(name) == 1)


def differing_columns(dataset: TableDataset, entry: ManifestEntry, also: Sequence[str]) -> Iterator[str]:
    """Columns that are of another kind in a file than in the first one; whatever has no types can be read as text.

    None of them may be absent in either. Raises DataError.
    """
    schema, start = known_schema(entry, dataset.config), f"dataset {dataset.config.name}:"
    typeless = getattr(format_in(dataset.config, entry.file), "typeless", False)
    before = next(one.file for one in dataset.entries if one.rows)
    for name in wanted_columns(dataset, also):
        first, here = dataset.schema.field(name).type, schema.field(name).type
        if typeless and kind_of(first) == "text":
            continue
        if kind_of(first) == "nothing" and kind_of(here) == "text" and name in dataset.feature_columns:
            yield (
                f"{start} {name} is {here} in {entry.file}, but {before} holds nulls alone, which are taken for "
                "numbers; write them as texts there, or leave the column out with `features:`."
            )
        if not _fit(first, here, is_timestamp=name == dataset.config.timestamp, is_group=name in also):
            what = f"{name} is {here} in {entry.file}, but {first} in {before}; give it one type in all files"
            yield f"{start} {what}{_or_encoding(dataset.config, entry.file, here)}."


def _fit(first: pa.DataType, here: pa.DataType, *, is_timestamp: bool, is_group: bool) -> bool:
    """Whether one column may be of both types. As a group's value a moment has another text in each type."""
    kinds = {kind_of(first), kind_of(here)}
    if is_timestamp or first == here or "time" not in kinds or "nothing" in kinds:
        return alike(kind_of(first), kind_of(here))
    return kinds == {"time"} and not is_group


def unusable_row(dataset: TableDataset, entry: ManifestEntry) -> str:
    """The first timestamp or label of a file that cannot be used, or feature where nulls are refused; empty if none.

    Raises DataError where the file cannot be read at all.
    """
    config, texts = dataset.config, dataset.has_text_labels
    refused = dataset.feature_columns if config.nulls.features == "refuse" else ()
    columns = list(dict.fromkeys([config.timestamp, config.label, *refused]))
    try:
        for key, rows in dataset.batches(columns, entry.first_key, entry.stop_key):  # which refuses nulls
            microseconds(rows.column(config.timestamp), key, entry.file, config)
            if not texts:
                dataset.label_numbers(rows.column(config.label), key)
    except DataError as error:
        if isinstance(error.__cause__, OSError):
            raise
        return str(error)
    return ""


def _by_row(sentence: str, entry: ManifestEntry) -> str:
    """The sentence on a row that has no key yet, with the file and the row's number in it, the first being 1."""
    told = _KEYED.sub(lambda found: f"{found[1]} row {int(found[2]) - entry.first_key + entry.first_row + 1}", sentence)
    told = told.replace(MEND_THE_ROW, MEND_IN_PLACE if entry.first_row else "Mend that row, or take the file away.")
    return told if entry.file in told or not told else f"{entry.file}: {told}"
