"""Products of matrices in the place of differences: what they say is never too little, and decides nothing."""

from __future__ import annotations

import pytest
import torch

from tests.unit.selection.coreset.samples import rows
from tests.unit.selection.coreset.test_many_rows import KINDS
from workers.selection.coreset import facility_location, graph_cut
from workers.selection.coreset.likeness import Similarity
from workers.selection.coreset.lines import choice


def plain_similarity(points):
    """Of all pairs, by differences."""
    far = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
    return far.max() - far + 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_bounds_are_never_too_low(kind):
    """To the last bit, wherever rows lie; and they are tight, but for rows that nearly equal each other."""
    points = KINDS[kind](300)
    similarity = Similarity(points)
    bounds = similarity.bounds()
    more = bounds - similarity.lines(torch.arange(300))
    size = float(bounds.max())
    assert float(more.min()) >= 0
    assert float(more.max()) <= 1e-5 * size
    assert float(more.diagonal().max()) == 0


@pytest.mark.parametrize("kind", ["normal", "clusters", "few columns", "categories", "far from 0", "one far away"])
def test_the_same_rows_as_from_differences_of_all(kind):
    """In the same order, also where many rows tie."""
    points = KINDS[kind](400)
    alike = plain_similarity(points)
    picked, _ = choice("facility_location", {})(points, 60)
    assert picked.tolist() == facility_location(alike, 60).tolist()
    places, _ = choice("graph_cut", {"trade_off": 0.7})(points, 60)
    assert places.tolist() == graph_cut(alike, 60, 0.7).tolist()


def test_sums_of_rows_that_are_near_each_other():
    """Products alone would be wrong by some 1e-8 for each pair of equal rows."""
    points = torch.cat([rows(1, 40, 30)] * 5) + 1e4
    expected = plain_similarity(points).sum(dim=1)
    found = Similarity(points).sums()
    assert float((found - expected).abs().max()) <= 1e-12 * float(expected.max())


@pytest.mark.parametrize("name", ["craig", "facility_location", "graph_cut", "log_determinant"])
def test_of_equal_rows_the_first_is_picked_first(name):
    """Rows of ±1 in a hundred columns, as many again with their columns turned round, and the first ones once more."""
    some = torch.sign(rows(2, 60, 100))
    points = torch.cat([some, some.flip(1), some])
    picked, _ = choice(name, {"trade_off": 0.7})(points, 50)
    before: set[int] = set()
    for place in picked.tolist():
        assert place < 120 or place - 120 in before
        before.add(place)
    assert before & set(range(60))
