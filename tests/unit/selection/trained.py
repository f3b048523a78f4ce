"""Models to look at rows with."""

from __future__ import annotations

import msgspec
import numpy as np
import torch
from torch import nn

from shared.config.pipeline import Component
from tests.unit.training.samples import job, model, run, training
from workers.inference import load_model_bytes
from workers.loaded_model import LoadedModel


def trained(folder, dataset, id="mlp", loss="CrossEntropyLoss", seed=7, **config):
    """A model of this dataset, loaded."""
    chosen = training(loss=Component(name=loss, config={}), epochs=1)
    return load_model_bytes(run(job(folder, dataset, model=model(id, **config), training=chosen, seed=seed)).body)


def ending_in(loaded, last, loss):
    """A model that takes the same rows, one linear layer and something behind it."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(loaded.header.inputs.width, loaded.header.outputs), last)
    header = msgspec.structs.replace(loaded.header, loss=Component(name=loss, config={}))
    return LoadedModel(header, network, loaded.encoder, torch.device("cpu"))


def pieces(dataset, at_once=None):
    """All rows of a dataset, so many at a time."""
    for start in range(0, dataset.rows, at_once or dataset.rows):
        table = dataset.table.slice(start, at_once)
        yield np.arange(start, start + table.num_rows), table


def labels(dataset):
    """The label column, (n,)."""
    return dataset.table["label"].to_numpy()
