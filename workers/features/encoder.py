"""How a dataset's columns become rows of numbers, learned once and then kept with the model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Protocol, get_args

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.config.system import Dataset, TimeFeature
from shared.errors import DataError
from workers.ahead import ahead
from workers.features.columns import Keys
from workers.features.fit_table import fit_table, grow_categories, scale_constants
from workers.features.image import ImageEncoder, ImagePixels
from workers.features.inputs import InputSpec
from workers.features.nulls import Met
from workers.features.source import ROWS_ENCODED_AT_ONCE, KeyPieces, SampleSource, input_columns
from workers.features.table import TableColumns, TableEncoder, read_with
from workers.features.text import TextBytes, TextEncoder
from workers.features.times import as_written_in, times_of

Description = TableColumns | ImagePixels | TextBytes

ENCODERS: dict[type, Any] = {TableColumns: TableEncoder, ImagePixels: ImageEncoder, TextBytes: TextEncoder}


class FeatureEncoder(Protocol):
    """Turns tables into rows; `description` and `tensors()` are all that is needed to restore it."""

    @property
    def description(self) -> Description:
        """What is known by name."""

    @property
    def columns(self) -> tuple[str, ...]:
        """What it reads of a table."""

    @property
    def inputs(self) -> InputSpec:
        """What the model gets for a row."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the encoded rows."""

    def encode(self, table: pa.Table, keys: Keys, met: Met | None = None) -> npt.NDArray[Any]:
        """Rows (rows, inputs.width) of `dtype`; nulls and the like are noted. Raises DataError by column and key."""

    def tensors(self) -> dict[str, npt.NDArray[np.float64]]:
        """What was learned, by name."""


def fit_encoder(source: SampleSource, keys: Keys | KeyPieces, max_chars: int) -> FeatureEncoder:
    """Learn the encoding from the rows of `keys`, streaming. `max_chars` is for text only. Raises DataError."""
    nulls = source.config.nulls
    if source.config.image is not None:
        image = source.config.image
        return ImageEncoder(ImagePixels(column=image.column, shape=image.shape, nulls=nulls.features))
    if source.config.text is not None:
        return TextEncoder(TextBytes(column=source.config.text, max_chars=max_chars, nulls=nulls.features))
    columns, times = input_columns(source), times_of(source.config)
    if not columns and times is None:
        raise DataError(
            f"Dataset {source.config.name} has no feature columns; name some with `features:` in config.yaml, or "
            f"learn from the timestamp with `time_features: [{', '.join(get_args(TimeFeature))}]`."
        )
    return fit_table(columns, ahead(pieces(source, read_with(columns, times), keys)), nulls, times)


def go_on_with(encoder: FeatureEncoder, source: SampleSource, keys: Keys | KeyPieces, *, grow: bool) -> FeatureEncoder:
    """The encoder that weights are used to, for a training that goes on from them with the rows of `keys`.

    Columns that never varied get their scale once they do; categories that are new a place of their own where it is to
    `grow`. Raises DataError for rows that cannot be used.
    """
    encoder = reading(encoder, source.config)
    description = msgspec.structs.replace(encoder.description, nulls=source.config.nulls.features)
    encoder = restore_encoder(description, encoder.tensors())
    if not isinstance(encoder, TableEncoder):
        return encoder
    if encoder.description.waiting:
        encoder = scale_constants(encoder, ahead(pieces(source, encoder.description.waiting, keys)))
    if grow and encoder.description.categories:
        encoder = grow_categories(encoder, ahead(pieces(source, tuple(encoder.description.categories), keys)))
    return encoder


def reading(encoder: FeatureEncoder, dataset: Dataset) -> FeatureEncoder:
    """The same encoder, that takes times as this dataset writes them."""
    description = encoder.description
    if not isinstance(description, TableColumns) or description.times is None:
        return encoder
    times = as_written_in(description.times, dataset)
    return restore_encoder(msgspec.structs.replace(description, times=times), encoder.tensors())


def restore_encoder(description: Description, tensors: Mapping[str, npt.NDArray[Any]]) -> FeatureEncoder:
    """The encoder that was stored with a model."""
    encoder: FeatureEncoder = ENCODERS[type(description)].restore(description, tensors)
    return encoder


def pieces(source: SampleSource, columns: tuple[str, ...], keys: Keys | KeyPieces) -> Iterator[tuple[Keys, pa.Table]]:
    """The rows of `keys` in order, each piece with its keys. Raises DataError if the dataset gave too few."""
    if not isinstance(keys, np.ndarray):
        yield from _pieces_of_many(source, columns, keys)
        return
    start = 0
    for table in source.take_batches(columns, keys, ROWS_ENCODED_AT_ONCE):
        yield keys[start : start + table.num_rows], table
        start += table.num_rows
    if start != len(keys):
        raise DataError(f"Dataset {source.config.name} gave {start:,} rows of the {len(keys):,} asked for.")


def _pieces_of_many(source: SampleSource, columns: tuple[str, ...], keys: KeyPieces) -> Iterator[tuple[Keys, pa.Table]]:
    """The same in one pass over the rows from the first key to the last."""
    coming, found = iter(keys), 0
    waiting = next(coming)
    for first_key, table in source.batches(columns, int(waiting[0]), keys.last_key + 1, ROWS_ENCODED_AT_ONCE):
        stop_key, here = first_key + table.num_rows, list[Keys]()
        while len(waiting) and waiting[0] < stop_key:
            stop = int(np.searchsorted(waiting, stop_key))
            here.append(waiting[:stop])
            waiting = waiting[stop:] if stop < len(waiting) else next(coming, waiting[:0])
        if here:
            taken = np.concatenate(here)
            found += len(taken)
            yield taken, table.take(pa.array(taken - first_key))
    if found != len(keys):
        raise DataError(f"Dataset {source.config.name} gave {found:,} rows of the {len(keys):,} asked for.")


def encoding_of(encoder: FeatureEncoder) -> str:
    """A hash of all that decides what rows become: two encoders with the same one give the same."""
    digest = hashlib.sha256(msgspec.json.encode(encoder.description, order="sorted"))
    for name, tensor in sorted(encoder.tensors().items()):
        digest.update(name.encode() + tensor.tobytes())
    return digest.hexdigest()
