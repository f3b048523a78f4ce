"""What is wrong with a dataset before a run: sentences for people, never an exception."""

from __future__ import annotations

import difflib

import pyarrow as pa

from shared.dataset.table import TableDataset
from shared.errors import DataError


def problems(dataset: TableDataset) -> list[str]:
    """One sentence, with its remedy, for each thing that keeps the dataset from being used."""
    config = dataset.config
    if not dataset.entries:
        return [f"dataset {config.name}: no file matches {config.uri}; put the data there or mend storage.datasets."]
    if dataset.rows == 0:
        return [f"dataset {config.name}: {config.uri} holds no rows; a dataset needs at least one."]
    wanted = [config.timestamp, config.label, *dataset.feature_columns]
    found = [_absent(dataset, name) for name in wanted if name not in dataset.schema.names]
    if not found:
        found = [*_types(dataset), *_labels(dataset)]
    return found


def _absent(dataset: TableDataset, name: str) -> str:
    names = dataset.schema.names
    near = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]}?" if near else f"its columns are {', '.join(names[:20])}."
    return f"dataset {dataset.config.name}: {dataset.entries[0].file} has no column {name}; {hint}"


def _types(dataset: TableDataset) -> list[str]:
    config, schema = dataset.config, dataset.schema
    found = []
    timestamp = schema.field(config.timestamp).type
    if not (pa.types.is_temporal(timestamp) or pa.types.is_string(timestamp) or pa.types.is_integer(timestamp)):
        found.append(
            f"dataset {config.name}: {config.timestamp} is {timestamp}; a timestamp, ISO text or integer is needed."
        )
    if pa.types.is_integer(timestamp) and config.unit is None:
        found.append(f"dataset {config.name}: {config.timestamp} is {timestamp}; say `unit: s` or `unit: ms`.")
    if config.image is None and config.text is None:
        for name in dataset.feature_columns:
            kind = schema.field(name).type
            if not (
                pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind) or _text(kind)
            ):
                found.append(
                    f"dataset {config.name}: feature {name} is {kind}; numbers, booleans and strings can be used. "
                    "List the usable columns under features."
                )
    if config.text is not None and not _text(schema.field(config.text).type):
        found.append(f"dataset {config.name}: {config.text} is {schema.field(config.text).type}; text is needed.")
    return found


def _text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind))


def _labels(dataset: TableDataset) -> list[str]:
    try:
        for key, _ in dataset.batches([dataset.config.timestamp], 0, 1):
            dataset.timestamps_us(key, key + 1)
        for start in range(0, dataset.rows, 1_000_000):
            dataset.labels(start, min(start + 1_000_000, dataset.rows))
    except DataError as error:
        return [str(error)]
    except pa.ArrowInvalid as error:
        return [f"dataset {dataset.config.name}: {dataset.config.label} is no usable label: {error}"]
    return []
