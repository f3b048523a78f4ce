"""Rows as batches: the same ones whether they lie on the device or are brought to it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from shared.config.pipeline import Component
from tests.unit.training.samples import digits, flights
from workers.features.encoder import fit_encoder
from workers.training.optimizers import make_optimizer
from workers.training.order.bounds import batch_bounds
from workers.training.order.rule import Epoch
from workers.training.rows.host import HostRows
from workers.training.rows.placed import free_bytes, place_rows
from workers.training.rows.resident import ResidentRows
from workers.training.rows.streamed import StreamedRows

CPU = torch.device("cpu")
BOUNDS = batch_bounds(27, 7, lone_row_allowed=True)


def pieces(dataset, weights):
    """Encoded rows of a dataset, with labels and weights."""
    keys = np.arange(27)
    encoder = fit_encoder(dataset, keys, 64)
    table = next(iter(dataset.take_batches(list(encoder.columns), keys, 27)))
    features = torch.from_numpy(encoder.encode(table, keys).copy())
    given = torch.rand(27) if weights else None
    return HostRows(features=features, labels=torch.arange(27), weights=given, encoder=encoder)


@pytest.mark.parametrize("dataset", [flights(), digits()])
@pytest.mark.parametrize("weights", [False, True])
def test_streamed_and_resident_rows_give_the_same_batches(dataset, weights):
    """In the order asked for, whole or from the middle of an epoch on; each stays while the next is fetched."""
    made = pieces(dataset, weights)
    order = np.random.default_rng(1).permutation(27)
    for bounds in (BOUNDS, BOUNDS[3:], BOUNDS[4:]):
        resident, streamed = (list_of(rows(made, CPU), order, bounds) for rows in (ResidentRows, StreamedRows))
        assert len(resident) == len(streamed) == len(bounds)
        for (start, stop), one, other in zip(bounds, resident, streamed, strict=True):
            assert one[1].tolist() == order[start:stop].tolist()  # a label is its row's number
            for mine, theirs in zip(one, other, strict=True):
                assert mine is theirs is None or torch.equal(mine, theirs)


def list_of(rows, order, bounds):
    """Each batch as it was when it was given."""
    return [tuple(one if one is None else one.clone() for one in batch) for batch in rows.batches(Epoch(order), bounds)]


def test_on_a_cpu_rows_are_mapped_and_not_copied():
    """However many: the scratch file is their memory."""
    made = pieces(flights(), False)
    rows = place_rows(made, CPU)
    assert isinstance(rows, ResidentRows)
    assert free_bytes(CPU) == float("inf")
    assert rows._features.data_ptr() == made.features.data_ptr()


def test_optimizers_are_fused_on_a_gpu_unless_the_file_says_otherwise():
    """One kernel for all parameters, where torch offers it; what the user writes is done."""
    parameters = [torch.nn.Parameter(torch.zeros(3))]
    cuda = torch.device("cuda")

    def fused(name, **config):
        made = make_optimizer(Component(name=name, config=config), parameters, cuda)
        return made.param_groups[0].get("fused")

    assert fused("Adam", lr=0.1) is True
    assert fused("SGD", lr=0.1, momentum=0.9) is True
    assert fused("Adam", lr=0.1, fused=False) is False
    assert not fused("Adam", lr=0.1, foreach=True)
    assert not fused("RMSprop")
    assert not make_optimizer(Component(name="Adam", config={}), parameters, CPU).param_groups[0].get("fused")
