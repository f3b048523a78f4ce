"""A training set, as it was written, whole."""

from __future__ import annotations

import io

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from shared.training_set import TrainingSetOrigin


class WrittenSet(msgspec.Struct, frozen=True):
    """Keys int64 (n,), weights float32 (n,), and why these."""

    keys: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]
    origin: TrainingSetOrigin


def read_set(body: bytes) -> WrittenSet:
    """The set in a file's bytes, as anybody reads it who knows Parquet."""
    table = pq.read_table(io.BytesIO(body))
    origin = msgspec.json.decode(table.schema.metadata[b"modyn"], type=TrainingSetOrigin)
    return WrittenSet(table.column("key").to_numpy(), table.column("weight").to_numpy(), origin)
