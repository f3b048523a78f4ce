"""training_sets/<trigger>.parquet: keys and weights, and in the metadata what they were selected by."""

from __future__ import annotations

import io

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from shared.class_names import ClassNames
from shared.training_rule import TrainingRule

_METADATA_KEY = b"modyn"


class TrainingSetOrigin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why these keys; nothing about time, host or path, so that equal selections are equal bytes."""

    watermark_key: int
    watermark_timestamp_us: int
    rows_read: int
    seed: int
    strategy: str
    classes: ClassNames | None = None  # where they have names
    rule: TrainingRule | None = None  # of the training, where the set alone does not say what is learned from


class TrainingSet(msgspec.Struct, frozen=True, kw_only=True):
    """Selected keys, ascending int64 (n,), and their weights, float32 (n,)."""

    keys: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]
    origin: TrainingSetOrigin


def training_set_bytes(training_set: TrainingSet) -> bytes:
    """The file's bytes; the same training set gives the same bytes."""
    table = pa.table({"key": training_set.keys, "weight": training_set.weights})
    table = table.replace_schema_metadata({_METADATA_KEY: msgspec.json.encode(training_set.origin)})
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def read_training_set(body: bytes) -> TrainingSet:
    """The training set in a file's bytes."""
    table = pq.read_table(io.BytesIO(body))
    return TrainingSet(
        keys=table.column("key").to_numpy(),
        weights=table.column("weight").to_numpy(),
        origin=msgspec.json.decode(table.schema.metadata[_METADATA_KEY], type=TrainingSetOrigin),
    )
