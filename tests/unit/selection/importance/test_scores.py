"""Scores say of each row what their definition says, whatever the pieces in which the rows came."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from shared.config.pipeline import Component
from shared.errors import ConfigurationError, RowError, TrainingError
from tests.unit.selection.trained import ending_in, labels, pieces, trained
from tests.unit.training.samples import digits, flights, prices
from workers.selection.importance.measures import MEASURES
from workers.selection.importance.scores import scores
from workers.selection.row_loss import RowLoss
from workers.selection.seen import Seen

ROWS = flights(2_500)  # more than a forward pass takes on a CPU
TRUE = labels(ROWS)


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("classes"), ROWS, hidden=[8])


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("numbers"), prices(), loss="MSELoss", num_classes=1, hidden=[4])


def found(name, model, dataset, at_once=None, **more):
    return np.concatenate(list(scores(name, model, pieces(dataset, at_once), "label", **more)))


def probabilities(model):
    return model.predict(ROWS.table).astype(np.float64)


def expected(name, model):
    """By numpy, from the model's predictions."""
    p = probabilities(model)
    if name == "loss":
        return -np.log(p[np.arange(len(p)), TRUE])
    if name == "gradient_norm":
        h = model.embed(model.encode(ROWS.table, np.arange(ROWS.rows)))
        return np.linalg.norm(p - np.eye(2)[TRUE], axis=1) * np.linalg.norm(h, axis=1)
    if name == "margin":
        return 1 - np.abs(p[:, 0] - p[:, 1])
    return -(p * np.log(p)).sum(axis=1) if name == "entropy" else 1 - p.max(axis=1)


@pytest.mark.parametrize("name", ["loss", "gradient_norm", "margin", "entropy", "least_confidence"])
@pytest.mark.parametrize("at_once", [None, 999])
def test_of_classes(classes, name, at_once):
    assert found(name, classes, ROWS, at_once) == pytest.approx(expected(name, classes), rel=1e-4, abs=1e-6)


def test_of_numbers(numbers):
    """The gradient of a squared error is twice the error, times what enters the layer."""
    apart = numbers.predict(prices().table) - labels(prices())
    h = numbers.embed(numbers.encode(prices().table, np.arange(100)))
    assert found("loss", numbers, prices()) == pytest.approx(apart**2, rel=1e-4, abs=1e-6)
    norms = np.abs(2 * apart) * np.linalg.norm(h, axis=1)
    assert found("gradient_norm", numbers, prices()) == pytest.approx(norms, rel=1e-4, abs=1e-6)


def test_rho_loss_is_what_a_holdout_model_has_learned_already(classes, tmp_path):
    """Each model reads rows as it was trained to."""
    holdout = trained(tmp_path, flights(100, seed=3), id="logistic")
    apart = found("loss", classes, ROWS) - found("loss", holdout, ROWS)
    assert np.array_equal(found("rho_loss", classes, ROWS, holdout=holdout), apart)
    assert apart.min() < 0 < apart.max()


def test_rows_are_read_as_they_are_scored(classes):
    """A piece at a time: memory does not grow with the rows."""
    read = []

    def noted():
        for number, piece in enumerate(pieces(ROWS, 500)):
            read.append(number)
            yield piece

    for number, some in enumerate(scores("margin", classes, noted(), "label")):
        assert (len(some), read[-1]) == (500, number)


def of(name, outputs, labels=None, last_input=None):
    """A measure of outputs under CrossEntropyLoss."""
    loss = RowLoss(Component(name="CrossEntropyLoss", config={}), torch.device("cpu"))
    seen = Seen(torch.tensor(outputs, dtype=torch.float64), last_input)
    return MEASURES[name].of(loss, seen, None if labels is None else torch.tensor(labels)).tolist()


def test_confidence_is_a_softmax_not_a_logit():
    """The larger logit is the less sure of two rows, where all its logits are large."""
    sure, unsure = of("least_confidence", [[2.0, -2.0, -2.0], [10.0, 9.0, 9.0]])
    assert sure < 0.04
    assert unsure > 0.4


def test_entropy_is_in_nats():
    assert of("entropy", [[0.0, 0.0, 0.0, 0.0], [900.0, 0.0, 0.0, 0.0]]) == pytest.approx([math.log(4), 0])


def test_what_is_nearly_learned_is_not_rounded_to_nothing():
    """In float32 a row this sure would have a loss and a gradient of 0, and would never be drawn."""
    assert of("loss", [[25.0, 0.0]], [0]) == pytest.approx([math.exp(-25)], rel=1e-4)
    norms = of("gradient_norm", [[25.0, 0.0]], [0], torch.ones(1, 1, dtype=torch.float64))
    assert norms == pytest.approx([math.sqrt(2) * math.exp(-25)], rel=1e-4)


def test_a_loss_has_its_options():
    """Weights of classes are the loss's own; a row of a class that counts twice is worth twice."""
    config = {"weight": [1.0, 2.0], "label_smoothing": 0.1}
    weighted = RowLoss(Component(name="CrossEntropyLoss", config=config), torch.device("cpu"))
    outputs, true = torch.tensor([[1.0, 1.0], [1.0, 1.0]], dtype=torch.float64), torch.tensor([0, 1])
    plain = nn.CrossEntropyLoss(torch.tensor([1.0, 2.0]).double(), label_smoothing=0.1, reduction="none")
    assert torch.equal(weighted.of(outputs, true), plain(outputs, true))


@pytest.mark.parametrize("name", ["BCEWithLogitsLoss", "SoftMarginLoss", "HuberLoss", "PoissonNLLLoss", "L1Loss"])
def test_every_loss_of_one_output_has_a_gradient(name):
    """By differences."""
    loss = RowLoss(Component(name=name, config={}), torch.device("cpu"))
    outputs, true, step = torch.tensor([[0.3], [-1.2], [2.0]], dtype=torch.float64), torch.tensor([1.0, 0.0, 1.0]), 1e-6
    slope = (loss.of(outputs + step, true) - loss.of(outputs - step, true)) / (2 * step)
    assert loss.gradient(outputs, true)[:, 0].tolist() == pytest.approx(slope.tolist(), abs=1e-6)


def test_a_model_that_goes_on_behind_its_last_layer(classes):
    """Has losses, but its gradients are not those of the formula."""
    model = ending_in(classes, nn.LogSoftmax(dim=1), "NLLLoss")
    assert (found("loss", model, ROWS) > 0).all()
    with pytest.raises(ConfigurationError, match=r"does not end with its last torch.nn.Linear layer"):
        found("gradient_norm", model, ROWS)
    inplace = ending_in(classes, nn.ReLU(inplace=True), "CrossEntropyLoss")
    with pytest.raises(ConfigurationError, match="does not end with"):
        found("gradient_norm", inplace, ROWS)


def test_models_that_end_with_their_last_layer(numbers, tmp_path):
    """Of images too, and where one number a row comes without a dimension of its own."""
    flat = ending_in(numbers, nn.Flatten(0), "MSELoss")
    assert (found("gradient_norm", flat, prices()) > 0).all()
    images = trained(tmp_path, digits(), "small_cnn")
    assert (found("gradient_norm", images, digits()) > 0).all()


def test_what_does_not_go_together_is_said_before_a_row_is_read(classes, numbers):
    def asked(name, model, holdout=None):
        return scores(name, model, iter(()), "label", holdout)

    with pytest.raises(ConfigurationError, match="there is no importance 'margins'; there are loss, gradient_norm,"):
        asked("margins", classes)
    with pytest.raises(
        ConfigurationError, match="this one predicts numbers under MSELoss: write loss or gradient_norm"
    ):
        asked("entropy", numbers)
    with pytest.raises(ConfigurationError, match="needs a holdout model"):
        asked("rho_loss", classes)
    with pytest.raises(ConfigurationError, match="compares with no holdout model"):
        asked("loss", classes, classes)
    with pytest.raises(ConfigurationError, match="under MSELoss, the current one under CrossEntropyLoss"):
        asked("rho_loss", classes, numbers)


def test_rows_that_cannot_be_scored(classes):
    """A bad label with its key, a model that gives NaN."""
    bad = ROWS.table.slice(0, 3).set_column(3, "label", [[0, 7, 1]])
    with pytest.raises(RowError, match="key 41"):
        list(scores("loss", classes, [(np.arange(40, 43), bad)], "label"))
    broken = ending_in(classes, nn.Identity(), "CrossEntropyLoss")
    with torch.no_grad():
        next(broken.last_input()._layers[0].parameters()).fill_(torch.nan)
    with pytest.raises(TrainingError, match="NaN"):
        found("margin", broken, ROWS)
