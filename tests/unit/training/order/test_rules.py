"""Rules per epoch give orders and weights that follow from seed, number and losses alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from workers.training.order.infobatch import InfoBatch
from workers.training.order.row_losses import newest_losses
from workers.training.order.rs2 import RS2
from workers.training.order.shuffled import sample_order

SOME = settings(max_examples=100, deadline=None)
SHARES = st.floats(0.01, 1)
SEEDS = st.integers(0, 2**64)


def told(rule, number, losses=None):
    """An epoch as lists."""
    order, weights = rule.epoch(number, losses)
    return order.tolist(), None if weights is None else weights.tolist()


@SOME
@given(rows=st.integers(1, 60), share=SHARES, number=st.integers(0, 50), seed=SEEDS, replacement=st.booleans())
def test_rs2_gives_a_share_of_the_rows_each_once(rows, share, number, seed, replacement):
    rule = RS2(rows, share, seed, replacement=replacement)
    order, weights = rule.epoch(number)
    assert weights is None
    assert 1 <= len(np.unique(order)) == len(order) <= max(1, round(share * rows))
    assert set(order.tolist()) <= set(range(rows))
    assert told(RS2(rows, share, seed, replacement=replacement), number) == (order.tolist(), None)


@SOME
@given(rows=st.integers(1, 60), share=SHARES, seed=SEEDS)
def test_without_replacement_all_come_before_one_comes_again(rows, share, seed):
    """Twice, each time in another order."""
    rule = RS2(rows, share, seed, replacement=False)
    a_pass = -(-rows // max(1, round(share * rows)))
    for first in (0, a_pass):
        met = np.concatenate([rule.epoch(first + number).order for number in range(a_pass)])
        assert sorted(met.tolist()) == list(range(rows))


def test_with_replacement_rows_come_again_at_once():
    rule = RS2(1_000, 0.1, 3, replacement=True)
    met = np.concatenate([rule.epoch(number).order for number in range(10)])
    assert 600 < len(np.unique(met)) < 700  # 1 − (1 − .1)^10 of them
    assert len({tuple(rule.epoch(number).order) for number in range(10)}) == 10


@pytest.mark.parametrize("replacement", [True, False])
def test_rs2_is_unbiased(replacement):
    """In each epoch each row is as likely, over 1,000 seeds."""
    for number in (0, 3):
        counts = np.zeros(40)
        for seed in range(1_000):
            counts[RS2(40, 0.25, seed, replacement=replacement).epoch(number).order] += 1
        assert chisquare(counts).pvalue > 1e-3


@SOME
@given(
    losses=st.lists(st.floats(0, 1e6) | st.just(np.nan), min_size=1, max_size=60).map(np.array),
    left_out=st.floats(0, 0.99),
    number=st.integers(0, 9),
    seed=SEEDS,
)
def test_infobatch_leaves_out_rows_of_low_loss_alone(losses, left_out, number, seed):
    """Rows at the mean, above it or without a loss stay with weight 1; weights are finite and positive."""
    rows = len(losses)
    rule = InfoBatch(rows, 10, seed, left_out=left_out, whole=0.2)
    order, weights = rule.epoch(number, losses)
    weights = np.ones(len(order), np.float32) if weights is None else weights
    known = losses[~np.isnan(losses)]
    low = losses < known.mean() if len(known) else np.zeros(rows, bool)
    assert len(np.unique(order)) == len(order) <= rows
    assert set(np.flatnonzero(~low).tolist()) <= set(order.tolist())
    assert (weights[~low[order]] == 1).all()
    assert np.isfinite(weights).all()
    if number < 8:
        assert weights[low[order]] == pytest.approx(1 / (1 - left_out))
    else:
        assert (len(order), (weights == 1).all()) == (rows, True)
    assert told(rule, number, losses)[0] == order.tolist()


def test_infobatch_estimates_the_sum_of_the_gradients_without_bias():
    """Over 2,000 seeds, within four standard errors; half of the rows of low loss are left out."""
    random = np.random.default_rng(0)
    gradients, losses = random.normal(1, 1, 200), random.exponential(1, 200)
    low = losses < losses.mean()
    epochs = [InfoBatch(200, 10, seed).epoch(3, losses) for seed in range(2_000)]
    sums = np.array([(epoch.weights * gradients[epoch.order]).sum() for epoch in epochs])
    assert abs(sums.mean() - gradients.sum()) < 4 * sums.std() / np.sqrt(len(sums))
    kept = np.mean([low[epoch.order].sum() for epoch in epochs])
    assert kept == pytest.approx(low.sum() / 2, rel=0.02)


def test_who_is_left_out_changes_from_epoch_to_epoch_and_the_order_is_that_of_all_rows():
    losses = np.arange(100.0)
    rule = InfoBatch(100, 100, 5)
    first, second = (rule.epoch(number, losses).order for number in (1, 2))
    assert set(first.tolist()) != set(second.tolist())
    whole = sample_order(5, 1, 100)
    assert first.tolist() == whole[np.isin(whole, first)].tolist()


@pytest.mark.parametrize(("epochs", "whole"), [(8, 1), (10, 2), (1, 1), (24, 3)])
def test_the_last_epochs_learn_from_all_rows(epochs, whole):
    """An eighth of them, rounded up; and so does the first, which knows no losses."""
    rule, losses = InfoBatch(50, epochs, 1), np.arange(50.0)
    sizes = [len(rule.epoch(number, losses if number else None).order) for number in range(epochs)]
    assert [number for number, size in enumerate(sizes) if size == 50] == sorted({0, *range(epochs - whole, epochs)})


def test_a_row_that_was_left_out_keeps_its_loss():
    rule = InfoBatch(4, 10, 1)
    losses = newest_losses(None, rule.epoch(0), np.array([3.0, 2.0, 1.0, 0.0]), 4)
    assert losses[rule.epoch(0).order].tolist() == [3.0, 2.0, 1.0, 0.0]
    epoch = rule.epoch(1, losses)
    after = newest_losses(losses, epoch, np.full(len(epoch.order), 9.0), 4)
    left = np.setdiff1d(np.arange(4), epoch.order)
    assert (after[epoch.order] == 9).all()
    assert np.array_equal(after[left], losses[left])
    alone = newest_losses(None, RS2(4, 0.5, 1, replacement=True).epoch(0), np.ones(2), 4)
    assert np.isnan(alone).sum() == 2


def test_what_cannot_be_a_rule_is_refused():
    for share in (0, 1.1, np.nan):
        with pytest.raises(ValueError, match=f"share is {share}"):
            RS2(10, share, 0, replacement=True)
    with pytest.raises(ValueError, match="rows is 0"):
        RS2(0, 0.5, 0, replacement=True)
    with pytest.raises(ValueError, match="left_out is 1"):
        InfoBatch(10, 10, 0, left_out=1)
    with pytest.raises(ValueError, match="whole is -0.1"):
        InfoBatch(10, 10, 0, whole=-0.1)
    for rule in (RS2(10, 0.5, 0, replacement=False), InfoBatch(10, 10, 0)):
        with pytest.raises(ValueError, match="epoch -1 is asked for"):
            rule.epoch(-1)
    with pytest.raises(ValueError, match=r"losses have shape \(9,\); there is one a row, \(10,\)"):
        InfoBatch(10, 10, 0).epoch(0, np.ones(9))
    with pytest.raises(ValueError, match="the loss at 4 is inf"):
        InfoBatch(10, 10, 0).epoch(0, np.where(np.arange(10) == 4, np.inf, 1))
