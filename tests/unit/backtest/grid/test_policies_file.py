"""POLICIES.yaml is checked with the pipeline that it is for, and tells what is wrong at its own lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from workplace import Workplace

from shared.config.changes import Change
from shared.config.load import load_configuration
from shared.errors import ConfigurationError
from supervisor.backtest.grid.grid_runs import WantedGrid, planned_grid, refuse_unkept
from supervisor.backtest.grid.policies_file import Policies, load_policies, with_block

GRID = """grid:
  every: 7d
  strategies:
    - {name: sliding_window, rows: 400}
    - {name: all_data}
prices: [100, {gpu_second: 2, error: 1}]
policies:
  weekly: {policy: time, every: 7d}
  costs: {policy: cost_threshold, every: 100, threshold: 20}
  both: {policy: ensemble, combine: any, policies: [{policy: cost_threshold, every: 50}, {policy: time, every: 9d}]}
tune:
  weekly: {every: [7d, 14d]}
"""


@pytest.fixture
def place(small: Workplace) -> Workplace:
    """One whose models depend on rows alone."""
    small.pipeline["training"]["use_previous_model"] = False
    small.pipeline["strategy"] = {"name": "all_data"}
    return small


def read(place: Workplace, text: str, changes: tuple[Change, ...] = (), **options: Any) -> Policies:
    """The file with this text, for the workplace's pipeline."""
    place.write()
    (place.folder / "POLICIES.yaml").write_text(text)
    return load_policies(place.folder / "POLICIES.yaml", *files(place), changes, **options)


def files(place: Workplace) -> tuple[Path, Path]:
    """Both of them."""
    return place.folder / "pipeline.yaml", place.folder / "config.yaml"


def problems(place: Workplace, text: str) -> list[str]:
    """What is wrong with it."""
    with pytest.raises(ConfigurationError) as caught:
        read(place, text)
    return list(caught.value.problems)


def test_each_policy_stands_in_the_pipeline(place: Workplace) -> None:
    """As `trigger:`; one that weighs costs and has no price gets the first, wherever it stands."""
    found = read(place, GRID)
    assert (found.every, [one.title for one in found.series]) == ("7d", ["all_data", "sliding_window rows=400"])
    triggers = {one.name: one.configuration.pipeline.trigger for one in found.policies}
    assert triggers["weekly"].options["every_s"] == 7 * 86_400
    price = {"training": 100.0, "error": 1.0}
    blocks = {one.name: one.block for one in found.policies}
    assert blocks["costs"]["price"] == blocks["both"]["policies"][0]["price"] == price
    assert "price" not in {**blocks["weekly"], **blocks["both"]}
    assert triggers["costs"].price is not None
    assert (triggers["costs"].price.training, triggers["costs"].price.metric.label) == (100.0, "accuracy")
    assert found.ladders == {"weekly": {"every": ("7d", "14d")}}


def test_models_that_are_there_need_no_grid(place: Workplace) -> None:
    """And those that are not do."""
    text = "policies: {weekly: {policy: time, every: 7d}}\n"
    found = read(place, text, trains=False)
    assert [one.title for one in found.series] == ["all_data"]
    (told,) = problems(place, text)
    assert (
        told == "POLICIES.yaml:1: grid: is missing; write such as `grid: {every: 7d}`, or name runs whose models are "
        "there already with --runs."
    )


def test_without_prices_that_of_the_pipeline_is_the_one(place: Workplace) -> None:
    """And where it has none a policy that weighs costs is refused, with the nearer remedy."""
    text = GRID.replace("prices: [100, {gpu_second: 2, error: 1}]", "")
    told = problems(place, text)
    weighs = "cost_threshold weighs what trainings and errors cost, and there is no price of a training; write such as"
    assert told[0].endswith(
        f"POLICIES.yaml:9: policies.costs: {weighs} `prices: [100]` for all policies, where a training costs as much "
        "as 100 errors, or `price: {training: 5, error: 0.01}` here."
    )
    assert f"10: policies.both.policies.0: {weighs}" in told[1]
    assert len(told) == 2
    place.pipeline["trigger"]["price"] = {"training": 5, "error": 0.01}
    found = read(place, text)
    assert [(one.training, one.error) for one in found.prices] == [(5.0, 0.01)]
    assert found.policies[1].block["price"] == {"training": 5.0, "error": 0.01}


def test_a_price_counts_errors_by_the_metric_that_is_chosen(place: Workplace) -> None:
    """So do policies that are given one."""
    place.pipeline["evaluation"]["metrics"] = ["auroc", "log_loss", "accuracy"]
    found = read(place, GRID, metric="log_loss")
    price = found.policies[1].configuration.pipeline.trigger.price
    assert price is not None
    assert (found.metric.label, price.metric.label) == ("log_loss", "log_loss")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "every: 7d\n  str",
            "every: 7d\n  evry: 8d\n  str",
            "POLICIES.yaml:3: grid.evry: is not a key here; did you me",
        ),
        ("every: 7d\n  str", "every: 7\n  str", None),
        ("every: 7d\n  str", "every: 1.5\n  str", "2: grid.every: 1.5 is neither a duration of event time"),
        ("rows: 400", "rwos: 4", "4: grid.strategies.0.rwos: is not a key here; did you mean rows?"),
        ("{name: all_data}", "{name: new_data}", "5: grid.strategies.1: new_data selects from the rows since"),
        (
            "every: 7d\n  str",
            "every: 2,000 rows\n  str",
            "2: grid.every: '2,000 rows' is not a duration; a bare number means rows: write 2000.",
        ),
        ("[100, {gpu_second: 2, error: 1}]", "50%", "6: prices: '50%' is no price; write a number"),
        ("[100, {gpu_second: 2, error: 1}]", "{training: 5}", "6: prices.error: is missing"),
        ("[100,", "[0,", "6: prices.0: 0 is not a number above zero."),
        ("[100,", "[1.0e+300,", "6: prices.0: 1e+300 is above 1e+15; write all prices in a larger unit."),
        ("gpu_second: 2, ", "", "6: prices.1.training: one of training and gpu_second is to be given"),
        ("policy: time, every: 7d", "policy: tiem, every: 7d", "8: policies.weekly.policy: 'tiem' is unknown; did you"),
        ("{policy: time, every: 7d}", "7d", "8: policies.weekly: '7d' is not a group"),
        ("threshold: 20", "threshold: 20%", "9: policies.costs.threshold: '20%' is not a number; write 0.2."),
        ("every: 9d}]", "every: x}]", "10: policies.both.policies.1.every: 'x' is not a duration"),
        ("every: 7d}", "every: 7d, expect: {}}", "8: policies.weekly.expect.on_violation: sets rows aside (hold)"),
        ("every: 7d}", "every: 7d, expect: {on_violation: alert}}", None),
        (
            "every: 7d}",
            "every: 7d, price: {training: 5, error: 1, metric: mae}}",
            "weekly.price.metric: mae counts the",
        ),
        (
            "weekly: {every: [7d, 14d]}",
            "weekyl: {every: [7d]}",
            "12: tune.weekyl: is no policy here; did you mean weekl",
        ),
        ("[7d, 14d]", "[7d, 14]", "12: tune.weekly.every: 14 cannot be tried: POLICIES.yaml:8: policies.weekly.every"),
        ("[7d, 14d]", "7d", "12: tune.weekly.every: '7d' is not a list of values"),
        ("{every: [7d, 14d]}", "{expect: [usual]}", "12: tune.weekly.expect: 'usual' cannot be tried: "),
    ],
)
def test_what_is_wrong_is_told_at_its_line(place: Workplace, old: str, new: str, told: str | None) -> None:
    """With key, value and remedy; nothing where nothing is wrong."""
    text = GRID.replace(old, new, 1)
    assert text != GRID
    if told is None:
        read(place, text)
    else:
        found = problems(place, text)
        assert [told in one for one in found] == [True], found


def test_policies_without_names_are_told_as_people_wrote_them(place: Workplace) -> None:
    """Not as Python would write a list of them."""
    (told,) = problems(place, "grid: {every: 7d}\npolicies:\n  - {policy: time, every: 7d}\n")
    assert told == (
        "POLICIES.yaml:2: policies: is a list, and names no policy; write such as `weekly: {policy: time, every: 7d}` "
        "below it."
    )


@pytest.mark.parametrize(("written", "price"), [("50", (50.0, 1.0)), ("{training: 5, error: 2}", (5.0, 2.0))])
def test_one_price_may_stand_alone(place: Workplace, written: str, price: tuple[float, float]) -> None:
    """As a list of one."""
    found = read(place, GRID.replace("[100, {gpu_second: 2, error: 1}]", written))
    assert [(one.training, one.error) for one in found.prices] == [price]
    assert found.policies[1].block["price"] == dict(zip(("training", "error"), price, strict=True))


def test_a_pipeline_that_cannot_be_back_tested_is_told_with_the_rest(small: Workplace) -> None:
    """At its own lines, beside what is wrong with a policy."""
    found = problems(small, GRID.replace("time, every: 7d", "time, every: x", 1).split("tune:")[0])
    assert ["training.use_previous_model" in found[0], "strategy: new_data" in found[1]] == [True, True]
    assert "POLICIES.yaml:8: policies.weekly.every: 'x' is not a duration" in found[2]


def test_the_grid_runs_a_clock_and_no_more_than_its_composite(place: Workplace) -> None:
    """Of each strategy; what the command line changes elsewhere holds, and what it changes there counts for nothing."""
    changes = (Change("training.seed", "3"), Change("trigger.every", "50"), Change("evaluation.metrics", "[accuracy]"))
    found = read(place, GRID, changes)
    runs = planned_grid(found, files(place), changes)
    assert [one.name for one in runs] == ["all_data", "sliding_window,rows=400"]
    for run, strategy in zip(runs, ("all_data", "sliding_window"), strict=True):
        pipeline = run.configuration.pipeline
        assert (pipeline.trigger.name, pipeline.trigger.options["every_s"]) == ("time", 7 * 86_400)
        assert (pipeline.strategy.name, pipeline.training.seed, pipeline.deployment) == (strategy, 3, None)
        assert [one.name for one in pipeline.evaluation.on] == ["next"]
        assert [one.label for one in pipeline.evaluation.metrics] == ["accuracy"]
        again = load_configuration(*files(place), run.changes, experiment_mode=True)
        assert again.pipeline == pipeline


def test_a_back_test_goes_on_with_the_grid_that_it_began_with(place: Workplace) -> None:
    """Other policies may be tried on it."""
    began = WantedGrid(set=()).of(read(place, GRID))
    began.refuse_other(WantedGrid(set=()).of(read(place, GRID.replace("weekly", "calendar"))), "")
    other = read(place, GRID.replace("7d", "9d", 1))
    told = r"^POLICIES.yaml:1: grid: \{every: 9d, strategies: .* is not what this back-test began"
    with pytest.raises(ConfigurationError, match=told):
        began.refuse_other(WantedGrid(set=()).of(other), other.source.told("grid"))


def test_models_that_are_let_go_of_are_no_grid(place: Workplace) -> None:
    """It is told before anything is trained."""
    place.config["retention"] = {"models": {"newest": 3}}
    place.pipeline["evaluation"]["models"] = {"newest": 3}
    with pytest.raises(ConfigurationError, match=r"config.yaml:\d+: retention.models: keeps the newest 3 models"):
        refuse_unkept(read(place, GRID).configuration)


def test_a_policy_may_have_another_group(place: Workplace) -> None:
    """Checked as the first."""
    weekly = read(place, GRID).policies[0]
    other = with_block(weekly, {**weekly.block, "every": "14d"})
    assert other.configuration.pipeline.trigger.options["every_s"] == 14 * 86_400
    with pytest.raises(ConfigurationError, match="'x' is not a duration"):
        with_block(weekly, {**weekly.block, "every": "x"})


def test_what_the_environment_fills_in_may_be_fitted(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group that is tried has its value, as the policy has."""
    monkeypatch.setenv("MODYN_TEST_PERIOD", "7d")
    tested = read(place, GRID.replace("{policy: time, every: 7d}", "{policy: time, every: '${MODYN_TEST_PERIOD}'}"))
    (weekly, *_) = tested.policies
    assert weekly.block == {"policy": "time", "every": "7d"}
    assert with_block(weekly, weekly.block).configuration.pipeline.trigger == weekly.configuration.pipeline.trigger


def test_errors_are_counted_by_a_mean_over_rows(place: Workplace) -> None:
    """Which can be added up over any rows."""
    with pytest.raises(ConfigurationError, match="--metric auroc: is no mean over rows"):
        read(place, GRID, metric="auroc")
    with pytest.raises(ConfigurationError, match="--metric mae: is no metric of evaluation.metrics"):
        read(place, GRID, metric="mae")
