"""Strategies made of strategies, in a run of one process: whose turn it is, who asks the model, and what is lost."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from one_process import OneProcess
from workplace import Workplace

from shared.messages.tasks import SelectTask
from shared.split import rows_in_split
from shared.strategies.memories.kept.reservoir import Reservoir
from supervisor.core.trigger_state import Phase
from tests.support.written_set import read_set
from tests.unit.run.test_kept_states import EVERY, hashes, remembering, sets, states, whole

UNIFORM = {"name": "uniform", "fraction": 0.5}
SCHEDULE = {
    "name": "schedule",
    "strategies": [
        {"name": "all_data"},
        {"name": "remembering", "limit": 100, "from_trigger": 2},
        {"name": "pipeline", "from_trigger": 4, "stages": [{"name": "remembering", "limit": 300}, UNIFORM]},
        {"name": "unsure", "from_trigger": 6},
    ],
}


def following(small: Workplace, strategy: dict[str, Any], **training: Any) -> Workplace:
    """The workplace, with this strategy and a trigger every 250 rows."""
    remembering(small, **training).pipeline["strategy"] = strategy
    return small


def trained(rows: range) -> np.ndarray:
    """Those of the train split."""
    keys = np.arange(rows.start, rows.stop)
    return keys[rows_in_split(keys.view(np.uint64), "train", test=0.2, validation=0.0)]


def selected(small: Workplace) -> list[list[int]]:
    """The keys of each training set that is not empty, by trigger."""
    found = {int(name.partition(".")[0]): read_set(one) for name, one in sets(small.run_dir).items()}
    return [found[number].keys.tolist() for number in sorted(found)]


def selections(run: OneProcess) -> list[SelectTask]:
    """In the order of their triggers."""
    return sorted((task for task, _ in run.done if isinstance(task, SelectTask)), key=lambda task: task.trigger_id)


def test_each_has_its_turn_with_the_memory_it_would_have_had(small: Workplace) -> None:
    """Rows were observed since the start; a pipeline behind it goes on from its own; the model is asked in turn."""
    run, _ = whole(following(small, SCHEDULE, use_previous_model=False))
    found, memory, larger = selected(small), Reservoir(100, seed=0), Reservoir(300, seed=0)
    for number in (0, 1):
        assert found[number] == trained(range((number + 1) * EVERY)).tolist()
    for number in (2, 3):
        known = trained(range((number + 1) * EVERY))
        assert found[number] == memory.keys(memory.observe(memory.empty(), known)).tolist()
    for number in (4, 5):
        known = trained(range((number + 1) * EVERY))
        assert set(found[number]) < set(larger.keys(larger.observe(larger.empty(), known)).tolist())
        assert len(found[number]) == 150
    assert [task.turn for task in selections(run)] == [*range(8)]
    assert [task.model and task.model.trigger_id for task in selections(run)] == [None] * 6 + [5, 6]


def test_whoever_is_killed_and_whatever_is_lost_the_sets_are_the_same(small: Workplace) -> None:
    """Between any two lines of the journal; and a set in the middle, once nothing is kept any more."""
    run, run_dir = whole(following(small, SCHEDULE, use_previous_model=False))
    expected = hashes(run), sets(run_dir), states(run_dir)
    run_dir.rename(small.folder / "whole")
    killed = OneProcess(small, random.Random(3), risk=0.1)
    killed.begin()
    killed.to_its_end()
    assert killed.kills
    assert (hashes(killed), sets(run_dir), states(run_dir)) == expected
    (run_dir / "training_sets/5.parquet").unlink()
    lines = killed.directory.journal_path.read_bytes().splitlines(keepends=True)
    killed.directory.journal_path.write_bytes(b"".join(lines[:-1]))  # it has not ended
    killed.risk = 0.0
    killed.resume()
    killed.to_its_end()
    assert sets(run_dir) == expected[1]


def test_no_selection_waits_for_a_model_that_it_does_not_ask(small: Workplace) -> None:
    """During a warm-up all triggers' rows are selected before the first training; later ones wait for their model."""
    warmed = {"name": "unsure", "warm_up": 3}
    following(small, warmed, use_previous_model=False, max_in_flight=9)
    run = OneProcess(small, random.Random(0))
    run.begin()
    while not run.observer.at_end:
        assert run.observe()
    while (select := next((one for one in run.waiting if one.task.kind == "select"), None)) is not None:
        run.waiting.remove(select)
        run.waiting.insert(0, select)
        run.dice = FirstOfAll()
        assert run.work()
    phases = [run.state.trigger(number).phase for number in range(8)]
    assert phases == [Phase.TRAINING] * 3 + [Phase.WAITING] * 5
    run.dice = random.Random(0)
    run.to_its_end()
    assert [task.model and task.model.trigger_id for task in selections(run)] == [None] * 3 + [2, 3, 4, 5, 6]


class FirstOfAll(random.Random):
    """Dice that always show the first."""

    def randrange(self, *args: Any, **kwargs: Any) -> int:
        """The first."""
        return 0


@pytest.mark.parametrize("strategy", [{"name": "latest", "limit": 60}, {"name": "remembering", "limit": 60}])
def test_triggers_that_train_nothing_use_up_no_warm_up(small: Workplace, strategy: dict[str, Any]) -> None:
    """The first ones know no label yet."""
    small.pipeline["data"]["label_delay"] = "25d"  # 600 rows
    run, _ = whole(following(small, {**strategy, "warm_up": 2}))
    phases = [run.state.trigger(number).phase for number in range(8)]
    assert phases == [Phase.EMPTY] * 2 + [Phase.COMMITTED] * 6
    assert [task.turn for task in selections(run)] == [0, 0, 0, 1, 2, 3, 4, 5]
    found = selected(small)
    for number in (0, 1):
        known = trained(range((number + 3) * EVERY - 600))
        assert found[number] == known.tolist()
    assert [len(keys) for keys in found[2:]] == [60] * 4


def test_coalesced_triggers_use_up_no_warm_up(small: Workplace) -> None:
    """Their rows go into the next one, which is the first that trains."""
    following(small, {"name": "latest", "limit": 60, "warm_up": 1}, backlog="coalesce")
    small.pipeline["initial_mode"] = "replay"
    run = OneProcess(small, random.Random(0), experiment=False)
    run.begin()
    while not run.observer.at_end:
        run.observe()  # all rows, before anything is trained
    while run.turn():
        pass
    run.stop()
    phases = [run.state.trigger(number).phase for number in range(8)]
    assert phases == [Phase.COALESCED] * 7 + [Phase.COMMITTED]
    assert [task.turn for task in selections(run)] == [0]
    assert selected(small) == [trained(range(2000)).tolist()]


@pytest.mark.parametrize(
    ("said", "sizes"),
    [
        ({}, [60, 60, 60, 60]),
        ({"warm_up": 2}, [1000, 1250, 60, 60]),
        ({"reset_on_trigger": True}, [60, 60, 60, 60]),
        ({"reset_on_trigger": True, "warm_up": 1}, [1000, 60, 60, 60]),
    ],
)
@pytest.mark.parametrize("strategy", [{"name": "latest", "limit": 60}, {"name": "remembering", "limit": 60}])
def test_what_exists_at_first_is_one_trigger(
    small: Workplace, strategy: dict[str, Any], said: dict[str, Any], sizes: list[int]
) -> None:
    """Trigger 0 over all that exists is the first of a warm-up, and is observed; later ones go on from it."""
    following(small, {**strategy, **said})
    small.pipeline["initial_mode"] = "train_on_everything"
    (small.folder / "data/part-1.parquet").rename(small.folder / "later.parquet")
    run = OneProcess(small, random.Random(0), experiment=False)
    run.begin()
    (small.folder / "later.parquet").rename(small.folder / "data/part-1.parquet")
    run.look()
    while run.turn():
        pass
    run.stop()
    found = selected(small)
    expected = [len(trained(range(size))) if size > 60 else size for size in sizes]
    assert [len(keys) for keys in found[:4]] == expected
    older = any(key < 1000 for key in found[3])
    assert older == ("reset_on_trigger" not in said and strategy["name"] == "remembering")
