"""Whether the rows of one file fit a dataset: its columns, their types, and what stands in them; sentences if not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import msgspec
import pyarrow as pa

from shared.config.system import Dataset
from shared.dataset.column_kinds import alike, kind_of
from shared.dataset.files import format_in, told
from shared.dataset.formats.unpacked import SAY_ENCODING
from shared.dataset.key_columns import Other, unlike_keys, unusable_keys
from shared.dataset.known_file import given_by_folders, known_schema
from shared.dataset.manifest import MEND_IN_PLACE, MEND_THE_ROW, ManifestEntry
from shared.dataset.odd_values import first_that_is_no, is_typeless
from shared.dataset.partitions import fits_folders
from shared.dataset.table import ROWS_AT_ONCE, TableDataset
from shared.dataset.timestamp_column import microseconds
from shared.errors import DataError, RowError
from shared.words import meant

_KEYED = re.compile(r"\b(of|near|from) key (\d+)\b")
_OF_NULLS = {
    "text": "write them as texts there, or leave the column out with `features:`",
    "other": "no feature is of that type; leave the column out with `features:`",
}
_NULL = re.compile(r" row \d+(?: in .+)? is (?:null|nan)\b")


class Misfit(NamedTuple):
    """Why the rows of a file get no keys."""

    why: Literal["unreadable", "unfinished", "columns", "rows"]  # unfinished: being written to; rows: some of them
    sentences: tuple[str, ...]


def judge(
    candidate: ManifestEntry,
    first: ManifestEntry | None,
    config: Dataset,
    also: Sequence[str],
    beside: Other | None = None,
) -> Misfit | None:
    """What keeps the candidate's rows from getting keys; None if they fit.

    `first` is the first entry with rows, whose types all others share: None if the candidate is it. `beside`: the table
    to which key columns lead. Each row is read once. Raises DataError if the columns of either cannot be read.
    """
    if candidate.rows == 0:  # it decides nothing, and may have any columns
        return None
    entry = msgspec.structs.replace(candidate, first_key=first.stop_key if first else 0)
    dataset = TableDataset(config, [first, entry] if first else [entry])
    unfit = [
        sentence
        for one in ([first, entry] if first else [entry])  # another run may have given the first one its keys
        for sentence in absent_columns(dataset, one, also)
    ] or [*(unusable_types(dataset, also) if first is None else ()), *differing_columns(dataset, entry, also)]
    if not unfit and beside is not None:
        unfit = list(unlike_keys(dataset, entry.file, beside))
    if unfit:
        return Misfit("columns", tuple(unfit))
    unusable = _by_row(unusable_row(dataset, entry, wanted_columns(dataset, also)), entry)
    if not unusable:
        return None
    # What is no null and comes first is no mishap of a row: the unit is another, or the labels are texts.
    return Misfit("rows" if first or _NULL.search(unusable) else "columns", (unusable,))


def wanted_columns(dataset: TableDataset, also: Sequence[str]) -> list[str]:
    """The columns that each file must have; `also` are those that keep rows together, beside what the dataset is."""
    return list(dict.fromkeys([*dataset.config.own_columns, *dataset.feature_columns, *also]))


def absent_columns(dataset: TableDataset, entry: ManifestEntry, also: Sequence[str]) -> list[str]:
    """Columns that a file lacks, or has more than once. Raises DataError."""
    names, start = known_schema(entry, dataset.config).names, f"dataset {dataset.config.name}: {entry.file}"
    return [
        f"{start} {wrong_count(name, names, by='data.split.by' * (name in also))}"
        for name in wanted_columns(dataset, also)
        if names.count(name) != 1 and not _are_all_null(name, dataset, entry)
    ]


def _are_all_null(name: str, dataset: TableDataset, entry: ManifestEntry) -> bool:
    """Whether rows may lack a column in this format, as these do, and rows before them have it."""
    may_lack = getattr(format_in(dataset.config, entry.file), "rows_may_lack_columns", False)
    known = name in dataset.schema.names and name not in known_schema(entry, dataset.config).names
    return may_lack and known and name != dataset.config.timestamp


def wrong_count(name: str, names: Sequence[str], by: str = "") -> str:
    """What is wrong with columns that have this name more than once, or never. `by` is the key that names it."""
    if name in names:
        return f"has {names.count(name)} columns {name}; rename all but one."
    near = meant(name, names)
    hint = f"did you mean {near}?" if near else f"its columns are {', '.join(names[:20])}."
    return f"has no column {name}{f', which {by} names' if by else ''}; {hint}"


def unusable_types(dataset: TableDataset, also: Sequence[str] = ()) -> Iterator[str]:
    """Columns whose type in the first file cannot be used; none of them may be absent there."""
    config, start, first = dataset.config, f"dataset {dataset.config.name}:", _first(dataset)
    types = {name: dataset.schema.field(name).type for name in dataset.schema.names if _once(name, dataset)}
    bytes_in = {name: _no_utf8(dataset, first, name) for name in wanted_columns(dataset, also)}
    if any(bytes_in.values()):
        yield from filter(None, bytes_in.values())
        return
    timestamp = types[config.timestamp]
    if kind_of(timestamp) not in ("time", "text", "whole number", "number") or pa.types.is_boolean(timestamp):
        yield f"{start} {config.timestamp} is {timestamp}; a timestamp, ISO text or number is needed."
    elif kind_of(timestamp) in ("whole number", "number") and config.unit is None and config.format is None:
        yield from _first_moment(dataset)
    yield from unusable_keys(dataset)
    if config.text is not None and kind_of(types[config.text]) != "text":
        yield f"{start} {config.text} is {types[config.text]}; text is needed."
    if config.image is None and config.text is None and not config.holds_labels:
        usable = ("number", "whole number", "text", "time", *(["nothing"] if config.nulls.features == "impute" else []))
        for name in dataset.feature_columns:
            if kind_of(types[name]) not in usable:
                yield (
                    f"{start} feature {name} is {types[name]}; numbers, booleans, strings and dates can be used. "
                    "List the usable columns under features."
                )


def _first_moment(dataset: TableDataset) -> Iterator[str]:
    """What is wrong with the first row's timestamp, of numbers without a unit."""
    try:
        dataset.timestamps_us(0, min(dataset.rows, ROWS_AT_ONCE))
    except DataError as error:
        yield _by_row(str(error), _first(dataset))


def _first(dataset: TableDataset) -> ManifestEntry:
    """The entry whose types all others share."""
    return next((one for one in dataset.entries if one.rows), dataset.entries[0])


def _no_utf8(dataset: TableDataset, entry: ManifestEntry, name: str) -> str:
    """What is wrong with a column of a file without types in which Arrow found bytes; empty if it found none."""
    config = dataset.config
    if not is_typeless(entry, config) or not pa.types.is_binary(known_schema(entry, config).field(name).type):
        return ""
    row = first_that_is_no(pa.string(), name, entry, config)
    return f"dataset {config.name}: {name} is not UTF-8 in {entry.file}: {row}; {SAY_ENCODING}."


def _once(name: str, dataset: TableDataset) -> bool:
    return bool(dataset.schema.names.count(name) == 1)


def differing_columns(dataset: TableDataset, entry: ManifestEntry, also: Sequence[str]) -> Iterator[str]:
    """Columns that are of another kind in a file than in the first one; whatever has no types can be read as text.

    None of them may be absent in the first. Raises DataError.
    """
    schema, before = known_schema(entry, dataset.config), _first(dataset)
    folders = given_by_folders(entry, dataset.config)
    typeless = is_typeless(entry, dataset.config)
    for name in (one for one in wanted_columns(dataset, also) if one in schema.names):
        first, here = dataset.schema.field(name).type, schema.field(name).type
        no_utf8 = _no_utf8(dataset, entry, name)
        if no_utf8:
            yield no_utf8
        elif name in folders and (kind_of(first) == "text" or name in given_by_folders(before, dataset.config)):
            yield from _other_folder(dataset, before, entry, name)
        elif typeless and kind_of(first) == "text":
            continue
        elif kind_of(first) == "nothing" and kind_of(here) in ("text", "other") and name in dataset.feature_columns:
            yield (
                f"dataset {dataset.config.name}: {name} is {here} in {entry.file}, but {before.file} holds nulls "
                f"alone, which are taken for numbers; {_OF_NULLS[kind_of(here)]}."
            )
        elif not _fit(first, here, is_timestamp=name == dataset.config.timestamp, is_group=name in also):
            row = first_that_is_no(first, name, entry, dataset.config) if typeless else ""
            what = _differing(name, (before, first), (entry, here), row)
            instead = _instead(dataset, name) if entry.file == before.file else ""
            yield f"dataset {dataset.config.name}: {what}{instead}."


def _other_folder(dataset: TableDataset, first: ManifestEntry, entry: ManifestEntry, name: str) -> Iterator[str]:
    """What is wrong with the value that a folder's name gives; nothing where texts are, as all values are texts."""
    config = dataset.config
    beside = entry.discovered_us == first.discovered_us  # whose values say of which type the column is
    if kind_of(dataset.schema.field(name).type) == "text" or beside:
        return
    text, known = (given_by_folders(one, config)[name] for one in (entry, first))
    if fits_folders(text, known):
        return
    yield (
        f"dataset {config.name}: {name} is {text!r} in the folders of {entry.file}, but a whole number such as {known} "
        f"in those of {first.file} and all others that were found with it. Rename the folder, leave the column out "
        "with `features:`, or give the dataset a new name: then all folders are found together, and hold texts."
    )


def _differing(
    name: str, before: tuple[ManifestEntry, pa.DataType], here: tuple[ManifestEntry, pa.DataType], row: str
) -> str:
    """What is told of a column of another kind. `row`: the first that shows it, if one does."""
    (known, first), (entry, own) = before, here
    shown = f" ({row})" if row else ""
    if entry.file == known.file:
        where = f"{name} is {own} from row {entry.first_row + 1} on in {entry.file}{shown}, but {first} before"
        return f"{where}; write it as before"
    return f"{name} is {own} in {entry.file}{shown}, but {first} in {known.file}; give it one type in all files"


def _instead(dataset: TableDataset, name: str) -> str:
    """What else helps where a column of a text file has become another one."""
    if name in dataset.feature_columns and not dataset.config.holds_labels:
        return ", or leave the column out with `features:`"
    return ", or have new files that say their types (JSON lines, Parquet) and a dataset of another name"


def _fit(first: pa.DataType, here: pa.DataType, *, is_timestamp: bool, is_group: bool) -> bool:
    """Whether one column may be of both types. As a group's value a moment has another text in each type."""
    kinds = {kind_of(first), kind_of(here)}
    if is_timestamp or first == here or "time" not in kinds or "nothing" in kinds:
        return alike(kind_of(first), kind_of(here))
    return kinds == {"time"} and not is_group


def unusable_row(dataset: TableDataset, entry: ManifestEntry, columns: Sequence[str]) -> str:
    """The first timestamp or label of a file that cannot be used, or feature where nulls are refused; empty if none.

    All `columns` are read, as whoever trains will. Raises DataError where one of them cannot be.
    """
    config, numbers = dataset.config, dataset.config.labels is None and not dataset.has_text_labels
    try:
        for key, rows in dataset.batches(columns, entry.first_key, entry.stop_key):  # which refuses nulls
            microseconds(rows.column(config.timestamp), key, entry.file, config)
            if numbers:
                dataset.label_numbers(rows.column(config.label), key)
    except DataError as error:
        cause = error.__cause__
        if isinstance(error, RowError) or cause is None:
            return str(error)
        if isinstance(cause, OSError) and cause.errno is not None:
            raise
        said = told(cause, entry.first_row)
        raise DataError(f"{entry.file} cannot be read: {said}. {_mend(entry, 'file')}") from cause
    return ""


def _mend(entry: ManifestEntry, what: str) -> str:
    """The remedy where nothing has keys yet; of a file whose other rows have, none of these may go away."""
    return MEND_IN_PLACE if entry.first_row else f"Mend that {what}, or take the file away."


def _by_row(sentence: str, entry: ManifestEntry) -> str:
    """The sentence on a row that has no key yet, with the file and the row's number in it, the first being 1."""
    said = _KEYED.sub(lambda found: f"{found[1]} row {int(found[2]) - entry.first_key + entry.first_row + 1}", sentence)
    said = said.replace(MEND_THE_ROW, _mend(entry, "row"))
    return said if entry.file in said or not said else f"{entry.file}: {said}"
