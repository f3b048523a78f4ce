"""Encoded rows in a memory-mapped scratch file, so that memory stays flat as the training set grows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from workers.ahead import ahead
from workers.features.columns import Keys, column
from workers.features.encoder import FeatureEncoder, pieces
from workers.features.nulls import Met
from workers.features.scratch import ScratchTable
from workers.features.source import KeyPieces, SampleSource

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

    Raises DataError for a row that cannot be used, ArtifactError if the scratch disk is full.
    """
    labels: list[npt.NDArray[np.generic]] = []
    met, features = Met(), ScratchTable(scratch, encoder.dtype, encoder.inputs.width)
    for rows, of_rows in encoded_pieces(source, keys, encoder, read_labels, met):
        features.append(rows)
        labels.append(of_rows)
    return EncodedSet(torch.from_numpy(features.mapped()), torch.from_numpy(np.concatenate(labels)), met)


def encoded_pieces(
    source: SampleSource, keys: Keys | KeyPieces, encoder: FeatureEncoder, read_labels: LabelReader, met: Met
) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[np.generic]]]:
    """Features (n, width) and labels (n,) of the rows of `keys`, piece by piece; what was met is noted.

    Raises DataError for a row that cannot be used.
    """
    label = source.config.label
    for piece_keys, table in ahead(pieces(source, (*encoder.columns, label), keys)):
        rows = encoder.encode(table, piece_keys, met)
        met.note_rows(table.num_rows)
        yield rows, read_labels(column(table, label), piece_keys)


def model_input(rows: torch.Tensor, encoder: FeatureEncoder) -> torch.Tensor:
    """A batch of encoded rows (batch, width) as the model's input (batch, *inputs.shape), on the same device."""
    if encoder.inputs.kind == "image":
        return rows.to(torch.float32).div_(255.0).view(-1, *encoder.inputs.shape)
    return rows
