"""Rows as points: in the input, the embedding and the gradient of the current model."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from shared.errors import ConfigurationError
from tests.unit.selection.trained import labels, pieces, trained
from tests.unit.training.samples import digits, flights, names
from workers.selection import spaces
from workers.selection.importance.scores import scores
from workers.selection.spaces import features

ROWS = flights(2_500)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("flights"), ROWS, hidden=[8])


def points(space, model, dataset, at_once=None):
    found = features(space, model, pieces(dataset, at_once), dataset.rows, "label")
    assert found.dtype == torch.float32
    return found.numpy()


def expected(space, model):
    encoded = model.encode(ROWS.table, np.arange(ROWS.rows))
    if space == "input":
        return encoded.numpy()
    embedded = model.embed(encoded)
    if space == "embedding":
        return embedded
    apart = model.predict(ROWS.table) - np.eye(2)[labels(ROWS)]
    return np.stack([np.outer(one, other).ravel() for one, other in zip(apart, embedded, strict=True)])


@pytest.mark.parametrize("space", ["input", "embedding", "gradient"])
@pytest.mark.parametrize("at_once", [None, 700])
def test_points_are_the_rows_in_their_order(model, space, at_once):
    assert points(space, model, ROWS, at_once) == pytest.approx(expected(space, model), rel=1e-4, abs=1e-6)


def test_gradients_are_the_networks_own(model):
    """As autograd finds them at the last layer's weights, for some rows; their norms are the scores."""
    found = points("gradient", model, ROWS)
    network, layer = model._network, model._network.layers[-1]
    encoded = model.encode(ROWS.table, np.arange(ROWS.rows))
    for row in (0, 1_500, 2_499):
        loss = torch.nn.functional.cross_entropy(network(encoded[row : row + 1]), torch.tensor([labels(ROWS)[row]]))
        (gradient,) = torch.autograd.grad(loss, layer.weight)
        assert found[row] == pytest.approx(gradient.flatten().numpy(), rel=1e-4, abs=1e-6)
    (norms,) = scores("gradient_norm", model, pieces(ROWS), "label")
    assert np.linalg.norm(found, axis=1) == pytest.approx(norms, rel=1e-5)


def test_gradients_are_made_some_at_a_time(model, monkeypatch):
    whole = points("gradient", model, ROWS)
    monkeypatch.setattr(spaces, "_CELLS_AT_ONCE", 40)
    assert np.array_equal(points("gradient", model, ROWS), whole)


def test_pixels_are_from_0_to_1(tmp_path):
    found = points("input", trained(tmp_path, digits(), "small_cnn"), digits())
    assert found.shape == (40, 64)
    assert 0.5 < found.max() <= 1


def test_texts_have_no_distance_letter_by_letter(tmp_path):
    model = trained(tmp_path, names(), "text_bag")
    assert points("embedding", model, names()).shape == (80, 32)
    with pytest.raises(ConfigurationError, match="write `embedding`"):
        points("input", model, names())


def test_what_cannot_be_had_is_said(model, monkeypatch):
    with pytest.raises(
        ConfigurationError, match="there is no space 'pixels' of features; there are input, embedding, "
    ):
        points("pixels", model, ROWS)
    for rows in (2_499, 2_501):
        with pytest.raises(ValueError, match=f"2,500 rows came, and {rows:,} were said to"):
            features("input", model, pieces(ROWS), rows, "label")
    monkeypatch.setattr(spaces, "_MOST_CELLS", 10_000)
    with pytest.raises(ConfigurationError, match="choose from 625 rows at a time"):
        points("gradient", model, ROWS)
