"""Encoded rows in a memory-mapped scratch file, so that memory stays flat as the training set grows."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from shared.errors import ArtifactError
from workers.ahead import ahead
from workers.features.columns import Keys, column
from workers.features.encoder import FeatureEncoder, pieces
from workers.features.nulls import Met
from workers.features.source import SampleSource

LabelReader = Callable[[pa.Array, Keys], npt.NDArray[np.generic]]  # a label column and its keys → (rows,)


class EncodedSet:
    """A training set ready to be gathered from: features on disk, labels in memory (at most 8 bytes a row)."""

    def __init__(self, features: torch.Tensor, labels: torch.Tensor, met: Met) -> None:
        self.features = features  # (rows, width) float32 or uint8
        self.labels = labels  # (rows,)
        self.met = met

    def __len__(self) -> int:
        return len(self.labels)


def encode_rows(
    source: SampleSource, keys: Keys, encoder: FeatureEncoder, read_labels: LabelReader, scratch: Path
) -> EncodedSet:
    """Encode the rows of `keys`, which ascend, into a nameless file under `scratch`.

    The file has no name from the start, so its space returns when this process ends, however it ends.
    Raises DataError for a row that cannot be used, ArtifactError if the scratch disk is full.
    """
    label = source.config.label
    labels: list[npt.NDArray[np.generic]] = []
    met = Met()
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=scratch) as file:
            for piece_keys, table in ahead(pieces(source, (*encoder.columns, label), keys)):
                # Written, not stored through the map: a full disk is then an error, not a SIGBUS.
                file.write(np.ascontiguousarray(encoder.encode(table, piece_keys, met)).data)
                met.note_rows(table.num_rows)
                labels.append(read_labels(column(table, label), piece_keys))
            file.flush()
            # Copy on write: torch wants writable memory, and nothing is ever written.
            mapped = np.memmap(file, dtype=encoder.dtype, mode="c", shape=(len(keys), encoder.inputs.width))
    except OSError as error:
        raise ArtifactError(
            f"The training set could not be written to {scratch}: {error}. Make room there, then --resume."
        ) from error
    # As a plain ndarray: gathering through np.memmap is three times slower.
    return EncodedSet(torch.from_numpy(mapped.view(np.ndarray)), torch.from_numpy(np.concatenate(labels)), met)


def model_input(rows: torch.Tensor, encoder: FeatureEncoder) -> torch.Tensor:
    """A batch of encoded rows (batch, width) as the model's input (batch, *inputs.shape), on the same device."""
    if encoder.inputs.kind == "image":
        return rows.to(torch.float32).div_(255.0).view(-1, *encoder.inputs.shape)
    return rows
