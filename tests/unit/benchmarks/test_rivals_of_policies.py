"""Rivals of policies: they find what plain loops find, and none of them sees what comes later."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from benchmarks.policies.matrix import Matrix, bill, in_use
from benchmarks.policies.rivals.all import PERIOD, RIVALS
from benchmarks.policies.rivals.cusum import Cusum, tuned_cusum
from benchmarks.policies.rivals.online import base, learned_policy
from benchmarks.policies.rivals.period import best_period

LEARNED, WINDOWS, PRICE = 16, 40, 6.0


def ageing(seed: int = 0, jumps: tuple[int, ...] = (5, 11, 20, 30)) -> Matrix:
    """Models that lose little until the world jumps, and much from then on."""
    dice = np.random.default_rng(seed)
    model, window = np.indices((WINDOWS, WINDOWS))
    missed = sum(((model < jump) & (window >= jump)).astype(float) for jump in jumps)
    losses = 2.0 + 4.0 * missed + dice.random((WINDOWS, WINDOWS))
    return Matrix(np.where(window >= model, losses, 0.0), np.full(WINDOWS, 10))


def test_a_bill_is_what_a_loop_over_windows_pays() -> None:
    """The model that serves first is there; whoever takes over later is paid for."""
    matrix, switches = ageing(), (3, 8, 16, 21, 33)
    model, trainings, loss = 0, 0, 0.0
    for window in range(WINDOWS):
        if window in switches:
            model, trainings = window, trainings + (window > LEARNED)
        loss += matrix.losses[model, window] if window >= LEARNED else 0.0
    assert in_use(switches, WINDOWS)[-1] == model
    assert bill(matrix, switches, PRICE, LEARNED, WINDOWS) == pytest.approx((trainings, loss, PRICE * trainings + loss))


def test_the_period_is_the_best_of_all() -> None:
    """Each one is tried, and never to retrain."""
    for price in (0.0, PRICE, 1e9):
        ruling, costs = best_period(ageing(), price, LEARNED), {}
        for period in (*range(1, LEARNED), 10**9):
            costs[period] = bill(ageing(), range(period, LEARNED, period), price, 0, LEARNED).cost
        found = ruling.parameters["windows"] or 10**9
        assert costs[found] == min(costs.values())
        assert ruling.switches == tuple(range(found, WINDOWS, found))


@pytest.mark.parametrize("own_level", [False, True])
def test_a_cusum_fires_where_its_sum_reaches_the_threshold(own_level: bool) -> None:
    """Written plainly: one window after the other, and everything anew with each model."""
    matrix = ageing()
    expected, since = [], 0
    for window in range(1, WINDOWS):
        level = matrix.losses[since, since] / 10 if own_level else 0.0
        summed = 0.0
        for seen in range(since, window):
            summed = max(0.0, summed + matrix.losses[since, seen] - 10 * (level + 0.3))
        if summed >= 9.0:
            expected.append(window)
            since = window
    assert list(Cusum(9.0, 0.3, own_level).switches(matrix)) == expected != []


def test_the_cusum_is_tuned() -> None:
    """What it comes to on the windows that it learned from, neither always nor never nor a coarse search beats."""
    matrix = ageing()
    found = bill(matrix, tuned_cusum(matrix, PRICE, LEARNED).switches, PRICE, 0, LEARNED).cost
    for own_level, slack, threshold in itertools.product((False, True), (0.0, 0.2, 0.5), (0.0, 3.0, 9.0, np.inf)):
        switches = Cusum(threshold, slack, own_level).switches(matrix)
        assert found <= bill(matrix, switches, PRICE, 0, LEARNED).cost + 4.0, "a step of the ladder costs less"
    assert found < min(bill(matrix, one, PRICE, 0, LEARNED).cost for one in ((), range(WINDOWS)))


def test_base_takes_the_period_of_the_best_schedule() -> None:
    """Jumps at 5 and 11 of 16 windows are worth two trainings: one each eight windows."""
    ruling = base(ageing(), PRICE, LEARNED)
    assert ruling == ((8, 16, 24, 32), {"windows": 8.0})


def test_learned_retrains_after_what_the_plan_retrained_after() -> None:
    """A jump is heard one window after it came, and answered then."""
    jumps = tuple(range(4, WINDOWS, 4))
    ruling = learned_policy(ageing(jumps=jumps), 1.0, LEARNED)
    assert ruling.parameters == {"trainings of the plan": 3}
    assert len([one for one in ruling.switches if one > LEARNED]) >= 3


@pytest.mark.parametrize("name", RIVALS)
def test_none_sees_what_comes_later(name: str) -> None:
    """Whatever windows bring from one on, what was decided up to its beginning stays as it was."""
    matrix = ageing()
    decided = RIVALS[name](matrix, PRICE, LEARNED).switches
    assert decided, "so that there is something to compare"
    for window in (LEARNED, 21, 30):
        later = Matrix(matrix.losses.copy(), matrix.rows)
        later.losses[:, window:] = np.random.default_rng(window).random((WINDOWS, WINDOWS - window)) * 50
        changed = RIVALS[name](later, PRICE, LEARNED).switches
        assert [one for one in changed if one <= window] == [one for one in decided if one <= window]


def test_nobody_pays_less_than_the_best_period_without_a_price() -> None:
    """Where a training costs nothing and models age, each window is retrained: the least that can be lost."""
    jumps = tuple(range(1, WINDOWS))
    assert RIVALS[PERIOD](ageing(jumps=jumps), 0.0, LEARNED).switches == tuple(range(1, WINDOWS))
