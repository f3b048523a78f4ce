"""Parameters are fitted by what replayed policies cost, and never cost more than those that were written."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from shared.config.load import Configuration
from shared.ids import TriggerId
from supervisor.backtest.replaying.recording import Recording, open_recording
from supervisor.backtest.replaying.replay import Posed, Replayed, Settled, replay
from supervisor.backtest.tuning.fit import MOST_TRIED, Trial, Worth, fit
from supervisor.run.start.first_events import Scope

AMOUNT = {"policy": "data_amount", "every": 500}


class Counted:
    """Judges options by a formula, and counts what it is asked."""

    def __init__(self, configured: Any, worth: Callable[[dict[str, Any]], Worth]) -> None:
        self.trial, self.asked = Trial(configured, self._play, worth), list[dict[str, Any]]()

    def _play(self, configuration: Configuration) -> dict[str, Any]:
        trigger = configuration.pipeline.trigger
        self.asked.append({**trigger.options, **trigger.guards})
        return self.asked[-1]


def on_the_scale(options: dict[str, Any], best: int) -> float:
    """How many doublings an amount is from the best one."""
    return abs(math.log2(options["every"] / best))


@pytest.mark.parametrize("best", [13, 500, 60_000])
def test_it_finds_what_costs_least(configured, best):
    """Also where that is far from what is written; each block is replayed once, and as often whenever it is fitted."""
    asked = Counted(configured, lambda options: Worth(on_the_scale(options, best), 0))
    fitted = fit(AMOUNT, asked.trial)
    assert fitted.worth.cost < 0.1
    assert fitted.worth <= fitted.written == (on_the_scale(AMOUNT, best), 0)
    assert fitted.block == {**AMOUNT, **fitted.parameters}
    assert fitted.configuration.pipeline.trigger.options == fitted.parameters
    assert len(asked.asked) == fitted.tried == len({one["every"] for one in asked.asked})
    assert fitted.is_settled
    assert fit(AMOUNT, asked.trial).parameters == fitted.parameters


def test_two_that_depend_on_each_other(configured):
    """One after the other, and again."""

    def worth(options: dict[str, Any]) -> Worth:
        cooled = options["cool_down"]["rows"] if "cool_down" in options else 1
        return Worth(on_the_scale(options, 100) + abs(math.log2(cooled / options["every"] / 2)), 0)

    fitted = fit({**AMOUNT, "cool_down": 3000}, Counted(configured, worth).trial)
    assert fitted.parameters == {"every": pytest.approx(100, rel=0.1), "cool_down": pytest.approx(200, rel=0.2)}


def test_ties_go_to_fewer_trainings_and_then_to_what_is_written(configured):
    """No parameter is changed for nothing."""
    assert fit(AMOUNT, Counted(configured, lambda options: Worth(1, 1)).trial).block == AMOUNT
    fitted = fit(AMOUNT, Counted(configured, lambda options: Worth(1, int(options["every"] < 900))).trial)
    assert fitted.parameters == {"every": 920}
    assert list(fitted.notes) == ["was fitted to train once: no value that was tried did better with a second training"]
    assert not list(fit(AMOUNT, Counted(configured, lambda options: Worth(1, 2)).trial).notes)


def test_it_ends_after_so_many_replays(configured):
    """With the best of them, and says that there might be a better one."""
    asked = Counted(configured, lambda options: Worth(on_the_scale(options, 1), 0))
    fitted = fit({**AMOUNT, "every": 10**9}, asked.trial, most_tried=10)
    assert (len(asked.asked), fitted.tried, fitted.is_settled) == (10, 10, False)
    assert list(fitted.notes)[-1] == "fitting ended after 10 replays, before nothing got better any more"
    assert fitted.worth.cost == min(on_the_scale(one, 1) for one in asked.asked)


def test_where_near_values_change_nothing_far_ones_are_tried(configured):
    """A written value may be wrong by orders of magnitude, of which a few steps see nothing."""
    asked = Counted(configured, lambda options: Worth(min(on_the_scale(options, 500_000), 5), 0))
    fitted = fit(AMOUNT, asked.trial)
    assert fitted.parameters == {"every": pytest.approx(500_000, rel=0.1)}


def test_a_part_stays_as_large_a_part(configured):
    """An offset that is as long as its period does not keep the period from becoming shorter."""
    block = {"policy": "cost_periodic", "every": 800, "offset": 800}
    worth = Counted(configured, lambda options: Worth(abs(options["every"]["rows"] - 100), 0))
    assert fit(block, worth.trial).parameters == {"every": 100, "offset": 100}


def test_ladders_of_the_file(configured):
    """Their values alone, beside what is written; also of options that policies do not mark, or that are not there."""
    block = {"policy": "performance", "every": 500, "decide": {"policy": "drop", "by": 0.1}}
    ladders = {"decide.by": [0.2, 0.4], "every": ["2d", "5d"], "cool_down": [100]}
    asked = Counted(configured, lambda options: Worth(-options["decide"]["by"] - (options["every"]["rows"] is None), 0))
    fitted = fit(block, asked.trial, ladders)
    assert fitted.block == {**block, "every": "2d", "decide": {"policy": "drop", "by": 0.4}}
    assert fitted.parameters == {"decide.by": 0.4, "every": "2d"}
    assert {one["decide"]["by"] for one in asked.asked} == {0.1, 0.2, 0.4}
    assert {one["cool_down"]["rows"] for one in asked.asked if "cool_down" in one} == {100}


class OneModelATrigger:
    """Answers by how long ago the newest trigger was: the model loses a point of accuracy every ten rows."""

    def answer(self, posed: Posed, model: TriggerId | None) -> dict[str, Any]:
        """As `performance` is answered."""
        first_key, last_key = posed.asked.options["current"]
        score = max(0.95 - (last_key - first_key) / 1000, 0.0)
        found = {"score": score, "n": last_key - first_key, "known": last_key - first_key, "metric": "accuracy"}
        of_model = {"model": model, "expected": 0.95, "expected_n": 100}
        return {**of_model, "error": None, "greater_is_better": True, "unlabelled": 0, **found}

    def settled(self, fired: Any, left_out: Any) -> Settled:
        """All rows were trained on."""
        return Settled(100, 1.0)


def losses(found: Replayed, rows: int) -> Worth:
    """A training costs 3; each row costs a thousandth for each row since the newest trigger."""
    keys = [0, *(one.key for one in found.fired), rows]
    stale = sum((stop - start) ** 2 / 2_000 for start, stop in zip(keys, keys[1:], strict=False))
    return Worth(3.0 * len(found.fired) + stale, len(found.fired))


@pytest.mark.parametrize(
    "block",
    [
        AMOUNT,
        {"policy": "time", "every": "21d"},
        {"policy": "performance", "every": 10, "decide": {"policy": "threshold", "threshold": 0.6}},
        {"policy": "ensemble", "policies": [{**AMOUNT, "every": 900}], "cool_down": 700},
    ],
    ids=lambda block: block["policy"],
)
def test_replayed_policies(configured, tmp_path, block):
    """Those that replay a recorded stream come near to what an omniscient period would cost."""
    recording: Recording = open_recording(configured(block), Scope(experiment=True), tmp_path / "found")
    told = OneModelATrigger()

    def play(configuration: Configuration) -> Replayed:
        return replay(configuration.pipeline.trigger, recording.stream, told, told, labelling=recording.labelling())

    fitted = fit(block, Trial(configured, play, lambda found: losses(found, 2000)))
    best = min(3.0 * trainings + 2000 / (trainings + 1) for trainings in range(2000))
    assert best <= fitted.worth.cost < 1.1 * best < fitted.written.cost
    assert fitted.tried <= MOST_TRIED
