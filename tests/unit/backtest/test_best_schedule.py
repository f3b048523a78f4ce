"""The best schedule in hindsight is the best there is, and the one that others find."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from retrainopt.core.dp import evaluate_decision_sequence, solve_exact_schedule

from supervisor.backtest.hindsight.best_schedule import Candidate, Hindsight


def small_case(dice, *, whole=False):
    """Candidates, their losses and those of a first model over a few windows; whole numbers have many ties."""
    windows, count = int(dice.integers(1, 7)), int(dice.integers(1, 6))
    draw = (lambda *shape: dice.integers(0, 3, shape).astype(float)) if whole else (lambda *shape: dice.random(shape))
    moments = dice.integers(0, windows, count).tolist()
    candidates = [Candidate(moment, float(cost)) for moment, cost in zip(moments, draw(count), strict=True)]
    return candidates, windows, draw(count, windows), draw(windows)


def every_schedule(candidates, hindsight, price):
    """(cost, trainings, moments and numbers) of all that there are."""
    for count in range(len(candidates) + 1):
        for chosen in itertools.permutations(range(len(candidates)), count):
            moments = [candidates[one].moment for one in chosen]
            if all(one < other for one, other in itertools.pairwise(moments)):
                yield by_hand(candidates, hindsight, chosen, price), count, [*zip(moments, chosen, strict=True)]


def by_hand(candidates, losses, chosen, price):
    """What a schedule costs, window by window; `losses`: of the first model and of all candidates."""
    first, others = losses
    total = price * sum(candidates[one].cost for one in chosen)
    for window in range(len(first)):
        serving = [one for one in chosen if candidates[one].moment <= window]
        total += others[serving[-1]][window] if serving else first[window]
    return total


@pytest.mark.parametrize("whole", [False, True])
def test_nothing_is_better(whole):
    """Of all schedules it has the least cost; of equal ones the fewest trainings, then the earliest."""
    dice = np.random.default_rng(1)
    for _ in range(60):
        candidates, windows, losses, first = small_case(dice, whole=whole)
        hindsight, price = Hindsight(candidates, windows, losses, first), float(dice.integers(0, 3))
        ranked = sorted(every_schedule(candidates, (first, losses), price))
        found = hindsight.best(price)
        assert found.cost == pytest.approx(ranked[0][0])
        if whole:  # sums are exact
            assert found.trainings == tuple(number for _, number in ranked[0][2])
        limited = hindsight.best_with_at_most(5, price)
        for most, one in enumerate(limited, start=1):
            least = next(cost for cost, count, _ in ranked if count <= most)
            assert len(one.trainings) <= most
            assert one.cost == pytest.approx(least)


def test_the_first_model_may_be_missing():
    """A candidate of the first moment is trained then, and what was before it counts for none."""
    losses = [[9.0, 9.0, 1.0, 5.0], [9.0, 9.0, 9.0, 1.0], [0.0, 0.0, 2.0, 2.0]]
    hindsight = Hindsight([Candidate(2, 1.0), Candidate(3, 1.0), Candidate(2, 0.5)], 4, losses)
    assert hindsight.best(1.0) == ((0, 1), 4.0, 2.0, 2.0)
    assert hindsight.best(2.0) == ((2,), 5.0, 4.0, 0.5)
    assert [one.trainings for one in hindsight.best_with_at_most(3)] == [(2,), (0, 1), (0, 1)]
    assert hindsight.of([2, 1], 2.0) == ((2, 1), 6.0, 3.0, 1.5)


def test_what_is_no_schedule_is_refused():
    """Trainings that go back in time, or begin where no model is."""
    hindsight = Hindsight([Candidate(0, 1.0), Candidate(1, 1.0)], 2, [[1.0, 1.0], [1.0, 1.0]])
    with pytest.raises(ValueError, match="follow each other in time"):
        hindsight.of([1, 0])
    with pytest.raises(ValueError, match="no model at first"):
        hindsight.of([1])
    with pytest.raises(ValueError, match="finite"):
        Hindsight([Candidate(0, 1.0)], 1, [[float("nan")]])
    with pytest.raises(ValueError, match="moment from 0 to 0"):
        Hindsight([Candidate(1, 1.0)], 1, [[1.0]])


def test_retrainopt_finds_the_same():
    """Its exact plans have the same cost as ours, and ours is worth the same to it."""
    dice = np.random.default_rng(2)
    for _ in range(200):
        candidates, windows, losses, first = small_case(dice)
        weight = float(dice.random() * 3)
        numbers = {(one.moment, number + 1): number for number, one in enumerate(candidates)}
        costs = {
            model: {
                "training_cost": candidates[number].cost,
                "future_losses": {window: losses[number][window] for window in range(model[0], windows)},
            }
            for model, number in numbers.items()
        }
        costs[(-1, 0)] = {"future_losses": dict(enumerate(first))}
        theirs, decisions, _, _ = solve_exact_schedule(windows, costs, loss_cost_weight=weight)
        hindsight = Hindsight(candidates, windows, np.multiply(losses, weight), np.multiply(first, weight))
        ours = hindsight.best()
        assert ours.cost == pytest.approx(theirs, abs=1e-9)
        taken = [numbers[step, one.n_samples] for step, one in enumerate(decisions) if one.n_samples]
        assert hindsight.of(taken).cost == pytest.approx(theirs, abs=1e-9)
        total, training, loss = evaluate_decision_sequence(decisions, costs, loss_cost_weight=weight)
        judged = hindsight.of(taken)
        assert (judged.cost, judged.training_cost) == pytest.approx((total, training), abs=1e-9)
        assert judged.loss == pytest.approx(weight * loss, abs=1e-9)
