"""The best schedule in hindsight is the best there is, and the one that others find."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from retrainopt.core.dp import evaluate_decision_sequence, solve_exact_schedule

from supervisor.backtest.hindsight.best_schedule import Candidate, Hindsight


def small_case(dice, *, whole=False):
    """Candidates, and losses of models over a few windows: whole numbers have many ties.

    Every other case has candidates that share models, and up to two of these are there at first.
    """
    windows, count = int(dice.integers(1, 7)), int(dice.integers(1, 6))
    draw = (lambda *shape: dice.integers(0, 3, shape).astype(float)) if whole else (lambda *shape: dice.random(shape))
    moments, models = dice.integers(0, windows, count), dice.integers(0, 3, count)
    free = sorted({int(one) for one in dice.integers(0, 3, int(dice.integers(0, 3)))})
    if not free:
        moments[0] = 0
    costs = draw(count).tolist()
    candidates = [Candidate(*one) for one in zip(moments.tolist(), costs, models.tolist(), strict=True)]
    return candidates, windows, draw(3, windows), free


def every_schedule(candidates, losses, free, price):
    """(cost, trainings, moments and numbers) of all that there are."""
    first = min(one.moment for one in candidates)
    for count in range(len(candidates) + 1):
        for chosen in itertools.permutations(range(len(candidates)), count):
            moments = [candidates[one].moment for one in chosen]
            if all(one < other for one, other in itertools.pairwise(moments)) and (free or moments[:1] == [first]):
                cost = min(by_hand(candidates, losses, chosen, start, price) for start in free or [None])
                yield cost, count, [*zip(moments, chosen, strict=True)]


def by_hand(candidates, losses, chosen, start, price):
    """What a schedule costs, window by window; `start`: the model that is there at first."""
    total = price * sum(candidates[one].cost for one in chosen)
    for window in range(losses.shape[1]):
        serving = [candidates[one].model for one in chosen if candidates[one].moment <= window] or [start]
        total += 0.0 if serving[-1] is None else losses[serving[-1]][window]
    return total


@pytest.mark.parametrize("whole", [False, True])
def test_nothing_is_better(whole):
    """Of all schedules it has the least cost; of equal ones the fewest trainings, then the earliest."""
    dice = np.random.default_rng(1)
    for _ in range(100):
        candidates, windows, losses, free = small_case(dice, whole=whole)
        hindsight, price = Hindsight(candidates, windows, losses, free), float(dice.integers(0, 3))
        ranked = sorted(every_schedule(candidates, losses, free, price))
        found = hindsight.best(price)
        assert found.cost == pytest.approx(ranked[0][0])
        assert found == hindsight.of(found.trainings, price, start=found.start)
        if whole:  # sums are exact
            assert found.trainings == tuple(number for _, number in ranked[0][2])
        limited = hindsight.best_with_at_most(5, price)
        for most in range(1, 6):
            one = limited[min(most, len(limited)) - 1]
            assert len(one.trainings) <= most
            assert one.cost == pytest.approx(next(cost for cost, count, _ in ranked if count <= most))
        if free:
            assert hindsight.untrained().loss == pytest.approx(losses[free].sum(axis=1).min())


def test_costs_are_told_anew_without_the_losses():
    """Per training, or per second of them; and what an error costs."""
    dice = np.random.default_rng(3)
    for _ in range(20):
        candidates, windows, losses, free = small_case(dice)
        costs = dice.random(len(candidates))
        other = [one._replace(cost=cost) for one, cost in zip(candidates, costs.tolist(), strict=True)]
        told = Hindsight(candidates, windows, losses, free).costing(costs).best(2.0, 0.5)
        assert told.cost == pytest.approx(Hindsight(other, windows, losses / 2, free).best(2.0).cost)


def test_a_model_that_serves_already_is_not_trained_again():
    """Though sums of floats say now and then that it would lose less by a rounding."""
    dice = np.random.default_rng(4)
    losses = dice.random((1, 400)) * 1e9
    hindsight = Hindsight([Candidate(moment, 0.0, 0) for moment in range(400)], 400, losses)
    assert [one.trainings for one in (hindsight.best(), *hindsight.best_with_at_most(400))] == [(0,)] * 3


def test_the_first_model_may_be_missing():
    """A candidate of the first moment is trained then, and what was before it counts for none."""
    losses = [[9.0, 9.0, 1.0, 5.0], [9.0, 9.0, 9.0, 1.0], [0.0, 0.0, 2.0, 2.0]]
    hindsight = Hindsight([Candidate(2, 1.0, 0), Candidate(3, 1.0, 1), Candidate(2, 0.5, 2)], 4, losses)
    assert hindsight.best(1.0) == ((0, 1), 4.0, 2.0, 2.0, None)
    assert hindsight.best(2.0) == ((2,), 5.0, 4.0, 0.5, None)
    assert [one.trainings for one in hindsight.best_with_at_most(3)] == [(2,), (0, 1)]
    assert hindsight.of([2, 1], 2.0) == ((2, 1), 6.0, 3.0, 1.5, None)


def test_what_is_no_schedule_is_refused():
    """Trainings that go back in time, or begin where no model is."""
    hindsight = Hindsight([Candidate(0, 1.0, 0), Candidate(1, 1.0, 1)], 2, [[1.0, 1.0], [1.0, 1.0]])
    with pytest.raises(ValueError, match="follow each other in time"):
        hindsight.of([1, 0])
    with pytest.raises(ValueError, match="no model at first"):
        hindsight.of([1])
    with pytest.raises(ValueError, match="finite"):
        Hindsight([Candidate(0, 1.0, 0)], 1, [[float("nan")]])
    with pytest.raises(ValueError, match="losses of 1 models"):
        Hindsight([Candidate(0, 1.0, 1)], 1, [[1.0]])
    with pytest.raises(ValueError, match="moment from 0 to 0"):
        Hindsight([Candidate(1, 1.0, 0)], 1, [[1.0]])


def test_retrainopt_finds_the_same():
    """Its exact plans have the same cost as ours, and ours is worth the same to it."""
    dice = np.random.default_rng(2)
    for _ in range(200):
        candidates, windows, losses, _ = small_case(dice)
        weight, first = float(dice.random() * 3), dice.random(windows)
        numbers = {(one.moment, number + 1): number for number, one in enumerate(candidates)}
        costs = {
            model: {
                "training_cost": candidates[number].cost,
                "future_losses": {
                    window: losses[candidates[number].model][window] for window in range(model[0], windows)
                },
            }
            for model, number in numbers.items()
        }
        costs[(-1, 0)] = {"future_losses": dict(enumerate(first))}
        theirs, decisions, _, _ = solve_exact_schedule(windows, costs, loss_cost_weight=weight)
        hindsight = Hindsight(candidates, windows, [*losses, first], [len(losses)])
        ours = hindsight.best(1.0, weight)
        assert ours.cost == pytest.approx(theirs, abs=1e-9)
        taken = [numbers[step, one.n_samples] for step, one in enumerate(decisions) if one.n_samples]
        assert hindsight.of(taken, 1.0, weight).cost == pytest.approx(theirs, abs=1e-9)
        total, training, loss = evaluate_decision_sequence(decisions, costs, loss_cost_weight=weight)
        assert hindsight.of(taken, 1.0, weight)[1:4] == pytest.approx((total, loss, training), abs=1e-9)
