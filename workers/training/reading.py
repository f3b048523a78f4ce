"""From the keys of a training set to its encoded rows: in memory but for the features, or on disk as a whole."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch

from workers.features.columns import Keys
from workers.features.encoder import FeatureEncoder
from workers.features.matrix import encode_rows, encoded_pieces
from workers.features.nulls import Met
from workers.features.scratch import ScratchTable
from workers.features.source import KeyPieces, SampleSource
from workers.models.model_file import Header
from workers.training.chosen_rows import TrainingRows
from workers.training.job import TrainingJob
from workers.training.labels import label_reader
from workers.training.losses import loss_kind, prepare_labels
from workers.training.rows.blocks import FileRows
from workers.training.rows.host import HostRows


def keys_of(job: TrainingJob) -> Keys | KeyPieces:
    """Those of the job's set: at once, or piece by piece where there are many."""
    return job.rows if len(job.rows) > job.blocks.beyond_rows else job.rows.keys()


def read_rows(
    job: TrainingJob, source: SampleSource, encoder: FeatureEncoder, header: Header
) -> tuple[HostRows | FileRows, Met]:
    """The rows of the job's set, and what was met in them. Raises DataError, ArtifactError if the disk is full."""
    read_labels = label_reader(loss_kind(header.loss), header.outputs, source.config.label, header.classes)
    prepare, scratch = partial(prepare_labels, loss_kind(header.loss)), job.workspace.scratch_folder
    keys = keys_of(job)
    if isinstance(keys, np.ndarray):
        encoded = encode_rows(source, keys, encoder, read_labels, scratch)
        rows = HostRows(
            features=encoded.features, labels=prepare(encoded.labels), weights=_weights(job.rows), encoder=encoder
        )
        return rows, encoded.met
    met, features = Met(), ScratchTable(scratch, encoder.dtype, encoder.inputs.width)
    labels: ScratchTable | None = None
    for some, of_some in encoded_pieces(source, keys, encoder, read_labels, met):
        labels = labels or ScratchTable(scratch, of_some.dtype)
        features.append(some)
        labels.append(of_some)
    assert labels is not None
    weights = None if job.rows.chosen.all_weigh_one else ScratchTable(scratch, "float32")
    if weights is not None:
        for _, of_piece in job.rows.chosen.pieces():
            weights.append(of_piece)
    return FileRows(features=features, labels=labels, weights=weights, encoder=encoder, prepare=prepare), met


def _weights(rows: TrainingRows) -> torch.Tensor | None:
    """float32 (rows,), or None where all are 1 and the plain mean will do."""
    weights = rows.weights()
    return None if (weights == 1).all() else torch.from_numpy(weights.astype("float32"))
