"""Every loss that can be named learns from labels and predicts what its task promises."""

from __future__ import annotations

import pytest
import torch

from shared.config.pipeline import Component
from workers.construction import FindingsError
from workers.training.losses import LOSSES, loss_kind, make_objective, predictions, prepare_labels
from workers.training.losses_seen import LossesSeen


def outputs_for(name):
    rows = torch.tensor([[0.2, 0.7], [0.6, 0.1], [0.5, 0.4]])
    return rows if LOSSES[name].labels == "class" else rows[:, :1]


@pytest.mark.parametrize("name", LOSSES)
def test_weights_of_one_change_nothing(name):
    """The weighted form with weights of 1 is the plain mean."""
    loss, labels = Component(name=name, config={}), prepare_labels(LOSSES[name], torch.tensor([0, 1, 1]))
    plain = make_objective(loss)(outputs_for(name), labels, None)
    weighted = make_objective(loss, weighted=True)(outputs_for(name), labels, torch.ones(3))
    assert weighted == pytest.approx(plain.item())


@pytest.mark.parametrize("name", [name for name, kind in LOSSES.items() if kind.task == "classification"])
def test_classification_predicts_a_probability_for_each_class(name):
    """Two columns, whether the model has one output or two."""
    predicted = predictions(LOSSES[name], outputs_for(name))
    assert predicted.shape == (3, 2)


@pytest.mark.parametrize("name", ["BCEWithLogitsLoss", "SoftMarginLoss"])
def test_a_better_prediction_costs_less(name):
    """Labels 0 and 1 pull the output to its own side."""
    loss = make_objective(Component(name=name, config={}))
    labels = prepare_labels(LOSSES[name], torch.tensor([0, 1]))
    assert loss(torch.tensor([[-2.0], [2.0]]), labels, None) < loss(torch.tensor([[2.0], [-2.0]]), labels, None)


def test_a_poisson_loss_predicts_the_rate():
    """Its outputs are logarithms unless told otherwise."""
    outputs = torch.tensor([[0.0], [1.0]])
    log_rate = loss_kind(Component(name="PoissonNLLLoss", config={}))
    rate = loss_kind(Component(name="PoissonNLLLoss", config={"log_input": False}))
    assert predictions(log_rate, outputs).tolist() == pytest.approx([1.0, 2.718281], rel=1e-5)
    assert predictions(rate, outputs).tolist() == [0.0, 1.0]


def test_class_weights_come_from_a_list():
    """A list in the file is a tensor for the loss."""
    loss = make_objective(Component(name="CrossEntropyLoss", config={"weight": [1.0, 0.0]}))
    assert loss(torch.tensor([[3.0, 0.0], [3.0, 0.0]]), torch.tensor([0, 1]), None) < 0.1


def test_ignored_labels_are_refused():
    """Every row with a label is learned from."""
    with pytest.raises(FindingsError, match="ignore_index"):
        make_objective(Component(name="NLLLoss", config={"ignore_index": 0}))


def test_the_mean_counts_rows_not_batches():
    """A short batch weighs as much as its rows, however often the losses were read."""
    seen = LossesSeen(epoch=0)
    seen.add(torch.tensor(1.0), 30)
    assert seen.read() == 1.0
    seen.add(torch.tensor(4.0), 10)
    assert seen.read() == 1.75
