"""What is wrong, before a run, with a dataset whose rows have keys: sentences for people, never an exception."""

from __future__ import annotations

from collections.abc import Sequence

from shared.dataset.judging import absent_columns, differing_columns, unusable_row, unusable_types, wanted_columns
from shared.dataset.key_columns import Other, unlike_keys
from shared.dataset.manifest import ManifestEntry
from shared.dataset.stretches import joined
from shared.dataset.table import TableDataset
from shared.errors import DataError


def problems(
    dataset: TableDataset,
    also: Sequence[str] = (),
    entries: Sequence[ManifestEntry] | None = None,
    beside: Other | None = None,
) -> list[str]:
    """One sentence, with its remedy, for each thing that keeps the dataset from being used.

    `also` are columns that keep rows together, needed beside timestamp, label and features. `entries` are those to look
    into, where others were judged when they were given keys; all by default. `beside`: the table to which key columns
    lead.
    """
    config = dataset.config
    if not dataset.entries:
        return [f"dataset {config.name}: no file matches {config.uri}; put the data there or mend storage.datasets."]
    if dataset.rows == 0:
        return [f"dataset {config.name}: {config.uri} holds no rows; a dataset needs at least one."]
    try:
        filled = joined(dataset.entries if entries is None else entries, config)
        unlike = [] if beside is None else list(unlike_keys(dataset, dataset.file_of(0), beside))
        return _columns(dataset, filled, also) or unlike or _rows(dataset, filled, also)
    except DataError as error:
        return [str(error)]


def _columns(dataset: TableDataset, entries: Sequence[ManifestEntry], also: Sequence[str]) -> list[str]:
    """Columns that are not there, else types that cannot be used, else those that differ."""
    absent = [sentence for entry in entries for sentence in absent_columns(dataset, entry, also)]
    if absent or not entries:
        return absent
    return list(unusable_types(dataset, also)) or [
        sentence for entry in entries for sentence in differing_columns(dataset, entry, also)
    ]


def _rows(dataset: TableDataset, entries: Sequence[ManifestEntry], also: Sequence[str]) -> list[str]:
    """The first row that cannot be used."""
    columns = wanted_columns(dataset, also)
    return [told for told in (unusable_row(dataset, entry, columns) for entry in entries) if told][:1]
