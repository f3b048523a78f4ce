"""What policies come to on a grid, and that nothing is better than the best schedule."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pytest
from judged_grids import ArrayLosses, Price, contender, grid_of, scored, setting_of

from supervisor.backtest.judging.contenders import Contender, Setting, judged
from supervisor.backtest.judging.content import content_of
from supervisor.backtest.judging.course import Stretch, Switch
from supervisor.backtest.judging.courses import course_of, every, never

# Twelve rows, models at rows 1, 4 and 8: the first is right until row 5, the second until 8, the third always.
GRID = grid_of([1, 4, 8])
LOSSES = ArrayLosses([[0] * 6 + [1] * 6, [0] * 9 + [1] * 3, [0] * 12])


def content(setting: Setting, *contenders: Contender) -> dict[str, Any]:
    """As `--json` prints it."""
    told: dict[str, Any] = json.loads(json.dumps(content_of(setting, contenders, judged(setting, contenders))))
    return told


def test_trainings_that_are_paid_for():
    """All that got a model, also before the grid began; the first model once, for whoever had none; none before T."""
    stretch, later = Stretch(2, 11), Stretch(6, 11)

    def course(*keys, stretch=stretch, tuned=False):
        found = course_of([Switch(key, GRID.newest(key)) for key in keys], GRID, stretch, tuned=tuned)
        return found.start, [tuple(one) for one in found.switches], found.trainings, found.gpu_s

    assert course() == (0, [], 1, 1.0)
    assert course(5) == (0, [(5, 1)], 2, 3.0)
    assert course(0, 1, 5) == (0, [(5, 1)], 3, 4.0)
    assert course(2, 3, 5) == (0, [(2, 0), (3, 0), (5, 1)], 3, 4.0)
    assert course(1, 11) == (0, [(11, 2)], 2, 4.0)
    assert course(stretch=later, tuned=True) == (0, [], 0, 0.0)
    assert course(0, 4, 9, stretch=later, tuned=True) == (1, [(9, 2)], 1, 3.0)
    assert never(GRID, stretch, tuned=False).trainings == 1
    assert [one.key for one in every(GRID, stretch, tuned=False).switches] == [4, 8]
    assert every(GRID, later, tuned=True).start == 1


def test_what_a_policy_comes_to():
    """Its mean over its own windows; the worst and the last between grid points; cost and regret at each price."""
    prices = Price(0.5, written=0.5), Price(0.0, 0.1, 2.0, written={"gpu_second": 0.1, "error": 2})
    one = contender("late", GRID, [6], parameters={"every": "1d"})
    told = content(setting_of(GRID, LOSSES, prices=prices), one)
    assert told["grid"] == {
        "every": "7d",
        "strategies": ["series 0"],
        "models": 3,
        "train_s": 6.0,
        "first_timestamp": "1970-01-01T02:00:00.000000Z",
        "last_timestamp": "1970-01-01T11:00:00.000000Z",
        "rows": 10,
    }
    (late,) = told["policies"]
    assert (late["mean"], late["worst"], late["final"]) == (0.6, 0.0, 0.0)  # windows 2–4, 5–8, 9–11
    assert (late["trainings"], late["gpu_s"], late["cost"]) == (2, 3.0, 5.0)
    assert [window["accuracy"] for window in late["windows"]] == [0.8, 0.4]
    assert late["triggers"][0]["model"] == {"series": "series 0", "key": 4}
    assert late["at_prices"][1] == {"price": {"gpu_second": 0.1, "error": 2}, "cost": 8.3, "regret": pytest.approx(7.7)}
    assert late["regret"] == 3.5  # three trainings without an error cost 1.5
    assert late["best_with_as_many"] == 0.7
    assert [(one["mean"], one["trainings"], one["cost"]) for one in told["best"][:3]] == [
        (0.4, 1, 6.5),
        (0.7, 2, 4.0),
        (1.0, 3, 1.5),
    ]
    assert [one["key"] for one in told["best"][2]["triggers"]] == [1, 4, 8]
    assert [one["key"] for one in told["best"][4]["triggers"]] == [1, 4, 8]
    assert told["frontier"] == [{"trainings": n, "mean": mean} for n, mean in ((1, 0.4), (2, 0.7), (3, 1.0))]
    assert told["baselines"]["never"]["mean"] == told["baselines"]["never"]["accuracy"] == 0.4
    assert told["baselines"]["every"]["regret"] == 0.0


def test_guesses_are_judged_as_models_are():
    """Their windows are those between grid points; they train nothing, so that there is no regret."""
    windows = [{"accuracy": scored("accuracy", value, 5, keys)} for value, keys in ((0.8, (2, 6)), (0.4, (7, 11)))]
    told = content(setting_of(GRID, LOSSES, prices=[Price(0.5)], guesses={"no_change": windows}))
    expected = {"accuracy": 0.6, "mean": 0.6, "worst": 0.4, "final": 0.4, "trainings": 0, "gpu_s": 0.0, "rows": 10}
    assert told["baselines"]["no_change"] == {**expected, "cost": 4.0, "regret": None}


def test_without_prices_the_mean_sorts():
    """By the metric's direction; there is no cost then."""
    for metric, order in (("accuracy", ["good", "bad"]), ("log_loss", ["good", "bad"])):
        losses = ArrayLosses(LOSSES.rows_of, metric)
        told = content(setting_of(GRID, losses), contender("bad", GRID, []), contender("good", GRID, [4, 8]))
        assert [one["name"] for one in told["policies"]] == order
        assert [one["cost"] for one in told["policies"]] == [None, None]
        assert told["policies"][1]["worst"] == (0.0 if metric == "accuracy" else 1.0)


def test_of_two_that_come_to_the_same_the_one_with_fewer_trainings_comes_first():
    """Then the one that the file names first; the least costly in the last digit alone is not less costly."""
    losses = ArrayLosses(np.repeat([[0.1], [0.1], [0.1]], 12, axis=1), "mae")
    often, seldom, other = (contender(name, GRID, keys) for name, keys in (("z", [4, 8]), ("y", [4]), ("b", [8])))
    for prices in ([Price(0.0, written=0)], []):
        told = content(setting_of(GRID, losses, prices=prices), often, seldom, other)
        assert [one["name"] for one in told["policies"]] == ["y", "b", "z"]
    told = content(setting_of(GRID, LOSSES, prices=[Price(3.0)]), often, seldom, contender("a", GRID, []))
    assert [(one["name"], one["cost"]) for one in told["policies"]] == [("a", 9.0), ("y", 9.0), ("z", 9.0)]


def test_what_was_otherwise_than_in_a_run_is_told():
    """Triggers before the grid, and such as got no model."""
    early = contender("early", GRID, [0, 5], notes=["as asked"])
    (told,) = content(setting_of(GRID, LOSSES), early)["policies"]
    assert told["notes"] == [
        "1 trigger came before the first model of the grid, and got that one all the same",
        "as asked",
    ]
    (told,) = content(setting_of(GRID, LOSSES), contender("never", GRID, []))["policies"]
    assert told["notes"] == ["never fires: the first model of the grid is kept"]
    (told,) = content(setting_of(GRID, LOSSES, tuned_until=6), contender("once", GRID, [4]))["policies"]
    assert told["notes"] == ["never fires on the rows that are judged: the model that it had before is kept"]


def made_up(dice: np.random.Generator) -> tuple[Setting, list[Contender]]:
    """A grid of up to three series, and policies that fire anywhere."""
    rows = int(dice.integers(8, 60))
    first = int(dice.integers(0, 3))
    later = [key for key in range(first + 1, rows) if dice.random() < dice.choice([0.1, 0.4])]
    series = [[first, *[key for key in later if dice.random() < 0.8]] for _ in range(int(dice.integers(1, 4)))]
    grid = grid_of(*series, train_s=float(dice.random()))
    metric = str(dice.choice(["accuracy", "log_loss"]))
    draw = dice.integers(0, 2, (len(grid.models), rows)) if metric == "accuracy" else dice.random((9, rows))
    losses = ArrayLosses(np.resize(draw, (len(grid.models), rows)), metric, dice.random(rows) < 0.9)
    contenders = [
        contender(f"policy {number}", grid, np.flatnonzero(dice.random(rows) < dice.random() ** 2).tolist())
        for number in range(int(dice.integers(1, 5)))
    ]
    prices = [Price(float(dice.random() * 3)), Price(0.0, float(dice.random()), 0.7), Price(0.0), Price(9.0, 1.0, 0.0)]
    until = int(dice.integers(first, rows - 1)) if dice.random() < 0.5 else None
    return setting_of(grid, losses, prices=prices, at_most=4, tuned_until=until), contenders


def test_nothing_is_better_than_the_best_schedule():
    """No policy with as many trainings, not by the last digit; and no regret is below 0."""
    dice = np.random.default_rng(5)
    for _ in range(60):
        setting, contenders = made_up(dice)
        verdict = judged(setting, contenders)
        told, place = content_of(setting, contenders, verdict), verdict.judge.place
        for one in [*told["policies"], told["baselines"]["never"], told["baselines"]["every"]]:
            assert one["regret"] >= 0
            for at_price in one.get("at_prices", []):
                assert at_price["regret"] >= 0
        for one in told["policies"]:
            assert place(one["best_with_as_many"]) <= place(one["mean"])
        for one in [*told["policies"], told["baselines"]["never"], told["baselines"]["every"], *told["best"]]:
            within = [corner for corner in told["frontier"] if corner["trainings"] <= one["trainings"]]
            assert place(within[-1]["mean"]) <= place(one["mean"]) + 1e-12
        limited = [one for one in told["best"] if "at_most" in one]
        assert all(len(one["triggers"]) == one["trainings"] <= one["at_most"] for one in limited)
        for fewer, more in itertools.pairwise(limited):
            assert place(more["mean"]) <= place(fewer["mean"])


def test_the_frontier_goes_on_where_no_policy_trains_as_often():
    """Up to where more trainings bring nothing more; where each number would take too long, to the best of any."""
    grid = grid_of(list(range(0, 40, 2)))
    losses = ArrayLosses([[int(row // 2 * 2 > one.key) for row in range(42)] for one in grid.models])
    setting, once = setting_of(grid, losses, at_most=2), contender("once", grid, [8])
    told = content(setting, once)
    assert told["baselines"]["every"]["trainings"] == 20
    assert [one["trainings"] for one in told["frontier"]] == list(range(1, 21))
    assert told["frontier"][-1]["mean"] >= told["baselines"]["every"]["mean"]
    assert [one["at_most"] for one in told["best"]] == [1, 2]
    long = list(range(0, 3_000, 2))
    grid = grid_of(long)
    losses = ArrayLosses(np.arange(3_002) // 2 * 2 > np.array(long)[:, None])
    frontier = content(setting_of(grid, losses, at_most=2), contender("once", grid, [8]))["frontier"]
    assert [frontier[-1]["trainings"], len(frontier) < 100] == [1_500, True]


def test_the_best_schedule_is_the_least_of_all_that_could_be():
    """On small grids, tried one by one: what to keep or train at each moment."""
    dice = np.random.default_rng(6)
    for _ in range(25):
        grid = grid_of([1, 3, 6], [1, 3, 6][: int(dice.integers(1, 4))], train_s=0.5)
        losses = ArrayLosses(dice.integers(0, 2, (len(grid.models), 9)))
        setting = setting_of(grid, losses, prices=[Price(0.4, 0.3)], tuned_until=2 if dice.random() < 0.5 else None)
        one = contender("a", grid, [4])
        told = content(setting, one)
        costs = [cost for cost, _ in all_schedules(setting, [3, 4, 6])]
        assert next(one["cost"] for one in told["best"] if "price" in one) == pytest.approx(min(costs))
        for found in told["best"][:3]:
            losses_of = [loss for _, (count, loss) in all_schedules(setting, [3, 4, 6]) if count <= found["at_most"]]
            assert 1 - found["mean"] == pytest.approx(min(losses_of) / told["grid"]["rows"])


def all_schedules(setting, moments):
    """(cost, (trainings, loss)) of whatever can be done behind the rows `moments`."""
    grid, stretch, losses = setting.grid, setting.stretch, setting.losses

    def there(key):
        newest = [grid.newest(key, series) for series in range(len(grid.series))]
        return [number for number in newest if grid.models[number].key <= key]

    def known(key):
        return [number for number, model in enumerate(grid.models) if model.key <= key]

    inner = [key for key in moments if key >= stretch.first_key]
    for start in known(stretch.first_key - 1) if setting.tuned else there(stretch.first_key - 1):
        for chosen in itertools.product(*([None, *there(key)] for key in inner)):
            trained = [*([] if setting.tuned else [start]), *(one for one in chosen if one is not None)]
            loss, model, begin = 0.0, start, stretch.first_key
            for key, one in zip([*inner, stretch.last_key], [*chosen, None], strict=True):
                loss += losses.between(model, begin, key + 1)
                begin, model = key + 1, model if one is None else one
            gpu_s = sum(grid.models[one].train_s for one in trained)
            yield setting.prices[0].of(len(trained), gpu_s, loss), (len(trained), loss)
