"""On a grid that holds its triggers a policy does what it does in a run: it fires, asks and hears the same."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from grid_of_run import grid_of
from kinds_of_labels import in_a_table, in_rows
from one_process import OneProcess

from shared.errors import NotReadyError
from supervisor.backtest.replaying.on_grid import Played, Player
from supervisor.backtest.replaying.recording import open_recording
from supervisor.core.events import Observed
from supervisor.run.journal import events_in
from supervisor.run.start.first_events import Scope

EVERY = 70  # rows between two moments of the grid
POLICIES: dict[str, dict[str, Any]] = {
    "performance": {
        "policy": "performance", "every": EVERY, "window": {"rows": EVERY},
        "decide": {"policy": "drop", "by": 0.1},
    },
    "cost_cumulative": {
        "policy": "cost_cumulative", "every": EVERY, "over": "expected",
        "price": {"training": 8, "error": 1, "metric": "accuracy"},
    },
    "data_drift": {
        "policy": "data_drift", "every": EVERY, "window": {"rows": EVERY}, "reference": "since_trigger",
        "space": "embedding", "statistics": [{"name": "mmd", "decide": {"policy": "threshold", "threshold": 0.01}}],
        "most_rows": 50,
    },
    "data_amount": {"policy": "data_amount", "every": 2 * EVERY},
}  # fmt: skip


def run_of(folder: Path, labels: str, trigger: dict[str, Any]) -> OneProcess:
    """A run that is over, of a pipeline whose models depend on rows alone; labels come late."""
    in_table = labels == "in a table"
    small = in_a_table(folder, "classes") if in_table else in_rows(folder, "classes", label_delay="30h")
    small.pipeline |= {"trigger": trigger, "strategy": {"name": "all_data"}}
    small.pipeline["training"]["use_previous_model"] = False
    small.pipeline.pop("deployment")
    run = OneProcess(small, random.Random(3))
    run.start()
    run.to_its_end()
    return run


def side_by_side(player: Player, runs: list[OneProcess]) -> list[Played]:
    """The policies of all, a thread each."""
    with ThreadPoolExecutor(len(runs)) as threads:
        return list(threads.map(player.play, [run.configuration for run in runs]))


@pytest.mark.parametrize("labels", ["in rows", "in a table"])
def test_it_is_the_run(tmp_path: Path, labels: str) -> None:
    """The same triggers for the same reasons, near misses and questions; each trigger with the model of its row.

    Played again beside each other, no question is asked that was asked before.
    """
    grid = grid_of(run_of(tmp_path / "grid", labels, {"policy": "data_amount", "every": EVERY}))
    policies = POLICIES if labels == "in rows" else {"performance": POLICIES["performance"]}
    runs = {name: run_of(tmp_path / name, labels, block) for name, block in policies.items()}
    some = next(iter(runs.values()))
    recording = open_recording(some.configuration, Scope(experiment=True), tmp_path / "found")
    with Player(recording, grid) as player:
        names = list(runs)  # threads come and go, and those that answer stay
        together = side_by_side(player, [runs[name] for name in names[:2]])
        found = dict(zip(names, together, strict=False))
        found |= {name: player.play(runs[name].configuration) for name in names[2:]}
        asked = player.known.asked
        again = side_by_side(player, list(runs.values()))
        assert player.known.asked == asked
        half = player.play(some.configuration, until_key=399)
    assert [one.switches for one in again] == [one.switches for one in found.values()]
    for name, run in runs.items():
        seen = [event for event in events_in(run.directory.journal_path) if isinstance(event, Observed)]
        replayed = found[name].replayed
        assert replayed.fired == [one for event in seen for one in event.triggers]
        assert replayed.considered == [one for event in seen for one in event.considered]
        assert [one.asked for one in replayed.questions] == [event.question for event in seen if event.question]
        assert 1 < len(replayed.fired) < 9
        trained = [one for one in run.state.triggers.values() if one.model is not None]
        assert [one.key for one in found[name].switches] == [one.fired.key for one in trained]
        for switch, one in zip(found[name].switches, trained, strict=True):
            assert grid.models[switch.model].ref.object.sha256 == one.model.sha256
    whole = found[next(iter(runs))].switches
    assert half.switches == tuple(one for one in whole if one.key <= 399)


def test_before_the_grid_begins_the_first_model_serves(tmp_path: Path) -> None:
    """How many triggers were too early is told; one without new rows has no model."""
    grid = grid_of(run_of(tmp_path / "grid", "in rows", {"policy": "data_amount", "every": 3 * EVERY}))
    run = run_of(tmp_path / "often", "in rows", {"policy": "data_amount", "every": 20})
    recording = open_recording(run.configuration, Scope(experiment=True), tmp_path / "found")
    with Player(recording, grid) as player:
        found = player.play(run.configuration)
    first = grid.models[0].key
    assert [one.key for one in found.replayed.fired] == list(range(19, 700, 20))
    assert run.state.trigger(0).model is None, "at row 19 no label is known"
    assert [one.key for one in found.switches] == list(range(39, 700, 20))
    assert found.early == len(range(39, first, 20))
    assert {one.model for one in found.switches if one.key < first} == {0}
    assert found.switches[-1].model == len(grid.models) - 1


def test_who_answers_outlives_the_thread_that_asked_first(tmp_path: Path) -> None:
    """Tuning plays in threads of its own; what they have begun still answers when they are gone."""
    run = run_of(tmp_path / "grid", "in rows", POLICIES["performance"])
    recording = open_recording(run.configuration, Scope(experiment=True), tmp_path / "found")
    with Player(recording, grid_of(run)) as player:
        for until_key in (399, None):
            with ThreadPoolExecutor(1) as thread:
                asked = player.known.asked
                thread.submit(player.play, run.configuration, until_key).result()
                assert player.known.asked > asked


def test_replays_can_be_stopped(tmp_path: Path) -> None:
    """While a question is answered, and for good: nothing goes on, and nothing begins."""
    run = run_of(tmp_path / "grid", "in rows", POLICIES["performance"])
    recording = open_recording(run.configuration, Scope(experiment=True), tmp_path / "found")
    with Player(recording, grid_of(run)) as player, ThreadPoolExecutor(1) as thread:
        playing = thread.submit(player.play, run.configuration)
        while not player.known.asked:
            assert not playing.done()
        player.stop()
        with pytest.raises(NotReadyError):
            playing.result()
        with pytest.raises(NotReadyError, match="stopped"):
            player.play(run.configuration)
