"""Coresets by name: what each is chosen by, and that one which takes long can be stopped."""

from __future__ import annotations

from itertools import combinations
from statistics import median

import numpy as np
import pytest
import torch

from shared.errors import ConfigurationError
from tests.unit.selection.coreset.samples import rows
from workers.going_on import Interrupted
from workers.selection.coreset import (
    craig,
    facility_location,
    grad_match,
    graph_cut,
    herding,
    k_center,
    log_determinant,
)
from workers.selection.coreset.likeness import Similarity, gaussian_kernel
from workers.selection.coreset.lines import CHOICES, choice, lines

OPTIONS = {"trade_off": 0.7, "regularisation": 0.1}
ROWS = rows(0, 60)


def plain_similarity(points):
    """max(D) − D + 1e-3, of all pairs at once."""
    far = np.linalg.norm(points.numpy()[:, None] - points.numpy()[None], axis=2)
    return torch.from_numpy(far.max() - far + 1e-3)


def plain_kernel(points):
    """exp(−D² / its median over distinct pairs)."""
    squares = (np.linalg.norm(points.numpy()[:, None] - points.numpy()[None], axis=2)) ** 2
    middle = median(squares[one, other] for one, other in combinations(range(len(points)), 2))
    return torch.from_numpy(np.exp(-squares / middle))


def exact_similarity(points):
    """Lines of it."""
    found = Similarity(points)
    found.bounds()
    return found.lines


def test_each_is_the_public_function_on_what_is_said():
    """With weights w·k/n for craig, w·(rows kept) for grad_match, and none for the others."""
    expected = {
        "k_center": (k_center(ROWS, 12), None),
        "facility_location": (facility_location(plain_similarity(ROWS), 12), None),
        "graph_cut": (graph_cut(plain_similarity(ROWS), 12, 0.7), None),
        "log_determinant": (log_determinant(plain_kernel(ROWS), 12), None),
        "herding": (herding(ROWS, 12), None),
    }
    picked, weights = craig(ROWS, 12)
    expected["craig"] = (picked, weights * 12 / 60)
    picked, weights = grad_match(ROWS, ROWS.mean(dim=0), 12, 0.1)
    expected["grad_match"] = (picked, weights * len(picked))
    assert expected.keys() == CHOICES.keys()
    for name, (picked, weights) in expected.items():
        places, of_lines = lines(choice(name, OPTIONS), ROWS, None, 12, {})
        order = picked.sort().indices
        assert places.tolist() == picked[order].tolist(), name
        assert of_lines is None if weights is None else of_lines.tolist() == pytest.approx(weights[order].tolist())


def test_regularisation_goes_by_the_size_of_gradients_where_nobody_says_one():
    """A hundredth of their mean square: rows in another unit give the same rows, and the same weights."""
    ridge = 0.01 * float(ROWS.square().sum(dim=1).mean())
    expected, weights = grad_match(ROWS, ROWS.mean(dim=0), 12, ridge)
    for unit in (1.0, 2.0**-20):
        places, of_lines = lines(choice("grad_match", {"regularisation": None}), ROWS * unit, None, 12, {})
        assert places.tolist() == expected.tolist()
        assert of_lines.tolist() == pytest.approx((weights * len(expected)).tolist(), rel=1e-5)


@pytest.mark.parametrize("n", [1, 2, 60])
def test_likeness_is_as_it_is_defined(n):
    """Symmetric to the last bit; a row is most like itself."""
    for found, plain in ((exact_similarity, plain_similarity), (gaussian_kernel, plain_kernel)):
        alike = found(ROWS[:n])(torch.arange(n))
        assert torch.equal(alike, alike.T)
        assert (alike.diagonal() == alike.max()).all()
        if n > 1:
            assert torch.allclose(alike, plain(ROWS[:n]), rtol=1e-12)


def test_the_bandwidth_of_many_rows_is_that_of_some():
    """It hardly differs."""
    many = rows(1, 2_300, d=4)
    middle = torch.pdist(many).square().median()
    found = -(torch.cdist(many[:2], many[:2])[0, 1] ** 2) / gaussian_kernel(many)(torch.tensor([0]))[0, 1].log()
    assert float(found) == pytest.approx(float(middle), rel=0.03)


@pytest.mark.parametrize("name", CHOICES)
def test_rows_that_nothing_tells_apart_are_drawn_at_random(name):
    """As the gradients of a model whose last layer gets only zeros: the one that stands for all would teach nothing."""
    dead = torch.zeros(30, 4, dtype=torch.float64)
    places, weights = lines(choice(name, OPTIONS), dead, None, 9, {"seed": 1})
    assert weights is None
    assert len(np.unique(places)) == 9
    assert places.tolist() != lines(choice(name, OPTIONS), dead, None, 9, {"seed": 2})[0].tolist()


@pytest.mark.parametrize("name", CHOICES)
def test_few_and_equal_rows(name):
    """One row is chosen whatever k is. Of equal rows the weights count all; log_determinant takes one of each."""
    places, weights = lines(choice(name, OPTIONS), ROWS[:1], None, 5, {})
    assert places.tolist() == [0]
    assert weights is None or (weights > 0).all()
    equal = torch.cat([torch.ones(7, 2), -torch.ones(3, 2)]).double()
    places, weights = lines(choice(name, OPTIONS), equal, None, 4, {})
    assert len(places) == {"craig": 2, "log_determinant": 2}.get(name, 4)
    assert (np.diff(places) > 0).all()
    if name == "craig":
        assert (places.tolist(), weights.tolist()) == ([0, 7], pytest.approx([1.4, 0.6]))


@pytest.mark.parametrize("name", CHOICES)
def test_classes_are_chosen_one_by_one_where_that_is_asked_for(name):
    """As many rows of each, however few there are; a class alone changes nothing."""
    classes = np.arange(60) % 3
    places, _ = lines(choice(name, OPTIONS), ROWS, classes, 12, {"per_class": True})
    if name != "grad_match":  # which may drop some
        assert np.bincount(classes[places]).tolist() == [4, 4, 4]
    together, _ = lines(choice(name, OPTIONS), ROWS, classes, 12, {})
    assert together.tolist() != places.tolist()
    alone, _ = lines(choice(name, OPTIONS), ROWS, np.zeros(60, np.int64), 12, {"per_class": True})
    assert alone.tolist() == together.tolist()


@pytest.mark.parametrize("name", CHOICES)
def test_what_takes_long_is_heard_of_and_can_be_stopped(name):
    """At the first step, at the last, and between."""
    asked = 0

    def count():
        nonlocal asked
        asked += 1

    lines(choice(name, OPTIONS, count), ROWS, None, 30, {})
    assert asked >= (1 if name == "k_center" else 30)
    for stop in {1, (asked + 1) // 2, asked}:
        left = stop

        def stopped():
            nonlocal left
            left -= 1
            if left == 0:
                raise Interrupted

        with pytest.raises(Interrupted):
            lines(choice(name, OPTIONS, stopped), ROWS, None, 30, {})


def test_what_cannot_be_chosen_is_refused():
    with pytest.raises(
        ConfigurationError, match="there is no coreset 'glister'; there are k_center, facility_location"
    ):
        choice("glister", OPTIONS)
    with pytest.raises(ConfigurationError, match="per_class has no meaning where labels are numbers"):
        lines(choice("k_center", OPTIONS), ROWS, None, 12, {"per_class": True})
