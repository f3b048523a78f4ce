"""What is wrong with a dataset before a run: sentences for people, never an exception."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from shared.dataset.column_kinds import alike, kind_of
from shared.dataset.files import format_in
from shared.dataset.formats.unpacked import SAY_ENCODING
from shared.dataset.known_file import known_schema
from shared.dataset.manifest import ManifestEntry
from shared.dataset.stretches import joined
from shared.dataset.table import TableDataset
from shared.errors import DataError
from shared.words import meant

_ROWS_AT_ONCE = 1_000_000
_MOST_SENTENCES = 20


def problems(dataset: TableDataset, also: Sequence[str] = ()) -> list[str]:
    """One sentence, with its remedy, for each thing that keeps the dataset from being used.

    `also` are columns needed beside timestamp, label and features.
    """
    config = dataset.config
    if not dataset.entries:
        return [f"dataset {config.name}: no file matches {config.uri}; put the data there or mend storage.datasets."]
    if dataset.rows == 0:
        return [f"dataset {config.name}: {config.uri} holds no rows; a dataset needs at least one."]
    wanted = list(dict.fromkeys([config.timestamp, config.label, *dataset.feature_columns, *also]))
    try:
        return _files(dataset, wanted, also)[:_MOST_SENTENCES] or _rows(dataset)
    except DataError as error:
        return [str(error)]


def _files(dataset: TableDataset, wanted: Sequence[str], groups: Sequence[str]) -> list[str]:
    """Columns that are not there, else types that cannot be used, else those that differ; each file is opened once.

    A file without rows may have any.
    """
    absent: list[str] = []
    differing: list[str] = []
    for entry in joined(dataset.entries, dataset.config):
        schema = known_schema(entry, dataset.config)
        absent += _absent(dataset, entry, schema, wanted)
        if not absent:
            differing += _differing(dataset, entry, schema, wanted, groups)
    return absent or list(_types(dataset)) or differing


def _absent(dataset: TableDataset, entry: ManifestEntry, schema: pa.Schema, wanted: Sequence[str]) -> Iterator[str]:
    """Columns that a file lacks, or has more than once."""
    for name in wanted:
        if schema.names.count(name) != 1:
            yield f"dataset {dataset.config.name}: {entry.file} {wrong_count(name, schema.names)}"


def wrong_count(name: str, names: Sequence[str]) -> str:
    """What is wrong with columns that have this name more than once, or never."""
    if name in names:
        return f"has {names.count(name)} columns {name}; rename all but one."
    near = meant(name, names)
    hint = f"did you mean {near}?" if near else f"its columns are {', '.join(names[:20])}."
    return f"has no column {name}; {hint}"


def _types(dataset: TableDataset) -> Iterator[str]:
    """Columns whose type in the first file cannot be used."""
    config, start = dataset.config, f"dataset {dataset.config.name}:"
    types = {name: dataset.schema.field(name).type for name in dataset.schema.names if _once(name, dataset)}
    timestamp = types[config.timestamp]
    if kind_of(timestamp) not in ("time", "text", "whole number", "number") or pa.types.is_boolean(timestamp):
        yield f"{start} {config.timestamp} is {timestamp}; a timestamp, ISO text or number is needed."
    elif kind_of(timestamp) in ("whole number", "number") and config.unit is None:
        yield from _first_moment(dataset)
    if config.text is not None and kind_of(types[config.text]) != "text":
        yield f"{start} {config.text} is {types[config.text]}; text is needed."
    if config.image is None and config.text is None:
        usable = ("number", "whole number", "text", "time", *(["nothing"] if config.nulls.features == "impute" else []))
        for name in dataset.feature_columns:
            if kind_of(types[name]) not in usable:
                yield (
                    f"{start} feature {name} is {types[name]}; numbers, booleans, strings and dates can be used. "
                    f"List the usable columns under features{_or_encoding(dataset, types[name])}."
                )


def _first_moment(dataset: TableDataset) -> Iterator[str]:
    """What is wrong with the first row's timestamp."""
    try:
        dataset.timestamps_us(0, 1)
    except DataError as error:
        yield str(error)


def _or_encoding(dataset: TableDataset, arrow_type: pa.DataType) -> str:
    """What is offered where the values of a text file are bytes: they are no UTF-8."""
    is_text_file = hasattr(format_in(dataset.config, dataset.entries[0].file), "encoding")
    return f"; {SAY_ENCODING}" if is_text_file and pa.types.is_binary(arrow_type) else ""


def _once(name: str, dataset: TableDataset) -> bool:
    return bool(dataset.schema.names.count(name) == 1)


def _differing(
    dataset: TableDataset, entry: ManifestEntry, schema: pa.Schema, wanted: Sequence[str], groups: Sequence[str]
) -> Iterator[str]:
    """Columns that are of another kind in a file than in the first one; whatever has no types can be read as text."""
    typeless = getattr(format_in(dataset.config, entry.file), "typeless", False)
    for name in wanted:
        first, here = dataset.schema.field(name).type, schema.field(name).type
        if typeless and kind_of(first) == "text":
            continue
        if kind_of(first) == "nothing" and kind_of(here) == "text" and name in dataset.feature_columns:
            yield (
                f"dataset {dataset.config.name}: {name} is {here} in {entry.file}, but {dataset.entries[0].file} holds "
                "nulls alone, which are taken for numbers; write them as texts there, or leave the column out with "
                "`features:`."
            )
        if not _fit(first, here, is_timestamp=name == dataset.config.timestamp, is_group=name in groups):
            before = next(one.file for one in dataset.entries if one.rows)
            yield (
                f"dataset {dataset.config.name}: {name} is {here} in {entry.file}, but {first} in {before}; "
                "give it one type in all files."
            )


def _fit(first: pa.DataType, here: pa.DataType, *, is_timestamp: bool, is_group: bool) -> bool:
    """Whether one column may be of both types. As a group's value a moment has another text in each type."""
    kinds = {kind_of(first), kind_of(here)}
    if is_timestamp or first == here or "time" not in kinds or "nothing" in kinds:
        return alike(kind_of(first), kind_of(here))
    return kinds == {"time"} and not is_group


def _rows(dataset: TableDataset) -> list[str]:
    """The first timestamp or label that cannot be used, or feature where nulls are refused."""
    texts, nulls = dataset.has_text_labels, dataset.config.nulls
    for start in range(0, dataset.rows, _ROWS_AT_ONCE):
        stop = min(start + _ROWS_AT_ONCE, dataset.rows)
        dataset.timestamps_us(start, stop)
        if not texts:
            dataset.labels(start, stop)
    looked_at = [dataset.config.label] if texts and nulls.labels == "refuse" else []
    looked_at += dataset.feature_columns if nulls.features == "refuse" else ()
    if looked_at:
        for _ in dataset.batches(looked_at, 0, dataset.rows):
            pass  # reading them is looking at them
    return []
