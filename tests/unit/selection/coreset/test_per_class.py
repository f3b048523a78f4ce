"""Many rows are chosen from part by part: fair shares, and weights as if they had been chosen from together."""

from __future__ import annotations

from statistics import median

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.selection.coreset.samples import rows
from tests.unit.selection.coreset.test_gradient_error import LABELS, by_chance, gradients
from workers.selection.coreset import craig, k_center
from workers.selection.coreset.lines import craig_lines, grad_match_lines
from workers.selection.coreset.per_class import parts, per_part

SOME = settings(max_examples=100, deadline=None)


@SOME
@given(
    sizes=st.lists(st.integers(0, 30), min_size=1, max_size=6),
    k=st.integers(1, 80),
    most=st.integers(1, 40),
    seed=st.integers(0, 2**64),
)
def test_parts_hold_each_row_once_and_share_k_fairly(sizes, k, most, seed):
    """No part is too large; classes are balanced within one row where they have so many, and k is used."""
    sizes[0] += 1
    classes = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)) * 7 - 3, sizes))
    cut = parts(len(classes), classes, k, seed, most)
    every = np.concatenate([part.rows for part in cut])
    assert len(np.unique(every)) == len(every) <= len(classes)
    assert all(len(part.rows) <= most and 1 <= part.k <= len(part.rows) for part in cut)
    assert all((np.diff(part.rows) > 0).all() for part in cut)
    assert sum(part.k for part in cut) == min(k, len(classes))
    if len(classes) > most:
        assert all(len(np.unique(classes[part.rows])) == 1 for part in cut)
        got = {one: sum(part.k for part in cut if classes[part.rows[0]] == one) for one in np.unique(classes)}
        short = [share for one, share in got.items() if share < (classes == one).sum()]
        assert all(share >= max(got.values()) - 1 for share in short)


def test_equal_classes_get_equal_shares():
    assert [part.k for part in parts(40, np.repeat(np.arange(4), 10), 22, 0, 15)] == [6, 6, 5, 5]


def test_up_to_the_limit_all_rows_are_chosen_from_together():
    """15,000 are; beyond, classes that are too large are dealt out, in parts of equal size; so are rows of no class."""
    (whole,) = parts(15_000, np.arange(15_000) % 2, 100, 0)
    assert (len(whole.rows), whole.k) == (15_000, 100)
    classes = np.repeat([0, 1], [40_000, 5_000])
    cut = parts(45_000, classes, 300, 0)
    assert [(len(part.rows), part.k) for part in cut] == [(13_334, 50), (13_333, 50), (13_333, 50), (5_000, 150)]
    assert [len(part.rows) for part in parts(45_000, None, 300, 0)] == [15_000] * 3
    again = parts(45_000, classes, 300, 0)
    assert all(np.array_equal(one.rows, other.rows) for one, other in zip(cut, again, strict=True))
    assert not np.array_equal(cut[0].rows, parts(45_000, classes, 300, 1)[0].rows)


@pytest.mark.parametrize("choose", [craig_lines, lambda g, k: grad_match_lines(g, k, 1e-3)])
@pytest.mark.parametrize("most", [10_000, 100, 25])
def test_lines_estimate_the_mean_gradient(choose, most):
    """Together, class by class, and with classes in parts: better than as many rows by chance."""
    found = gradients(0)
    picked, weights = per_part(found, parts(len(found), LABELS.numpy(), 60, 0, most), choose)
    assert len(picked.unique()) == len(picked) <= 60
    assert (weights > 0).all()
    error = ((weights[:, None] * found[picked]).mean(dim=0) - found.mean(dim=0)).norm()
    assert error < median(by_chance(found, 60))


def test_weights_of_parts_are_as_of_one():
    """A class of more rows counts for more, though both give as many lines: w·k/n of rows that stand for so many."""
    features, classes = rows(0, 40), np.repeat([0, 1], [10, 30])
    picked, weights = per_part(features, parts(40, classes, 8, 0, 30), craig_lines)
    alone = [craig(features[:10], 4), craig(features[10:], 4)]
    assert picked.tolist() == [*alone[0][0].tolist(), *(alone[1][0] + 10).tolist()]
    assert weights.tolist() == pytest.approx((torch.cat([w for _, w in alone]) * 8 / 40).tolist())


def test_lines_without_weights_have_none():
    picked, weights = per_part(rows(0, 20), parts(20, np.arange(20) % 2, 5, 0, 10), lambda g, k: (k_center(g, k), None))
    assert weights is None
    assert (picked % 2).tolist() == [0, 0, 0, 1, 1]


def test_a_part_of_gradients_of_zero_gives_no_lines():
    """And counts as rows whose gradient is 0."""
    features = torch.cat([torch.zeros(10, 2), torch.ones(30, 2)])
    cut = parts(40, np.repeat([0, 1], [10, 30]), 4, 0, 30)
    picked, weights = per_part(features, cut, lambda g, k: grad_match_lines(g, k, 1e-6))
    assert (weights[:, None] * features[picked]).mean(dim=0).tolist() == pytest.approx([0.75, 0.75], abs=1e-3)
    nothing = per_part(torch.zeros(40, 2), cut, lambda g, k: grad_match_lines(g, k, 1e-6))
    assert [one.tolist() for one in nothing] == [[], []]


def test_what_cannot_be_cut_is_refused():
    with pytest.raises(ValueError, match="k is 0, of 3 rows"):
        parts(3, None, 0, 0)
    with pytest.raises(ValueError, match=r"classes have shape \(2,\); there is one a row, \(3,\)"):
        parts(3, np.arange(2), 1, 0)
