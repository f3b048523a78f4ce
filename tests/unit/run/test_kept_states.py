"""What a strategy keeps, in a run of one process: whoever is killed, whatever is lost, sets and states are the same."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from late_stories import LateStory
from one_process import OneProcess
from workplace import Workplace

from shared.messages.tasks import SelectTask
from shared.split import rows_in_split
from shared.strategies.memories.kept.reservoir import Reservoir
from shared.strategies.state import read_state
from supervisor.core.commands import CommitState
from supervisor.run.told import told_by

EVERY = 250  # 2,000 rows: 8 triggers
OPTIONS: dict[str, dict[str, Any]] = {
    "remembering": {"limit": 100},
    "unsure": {},
    "reservoir": {"limit": 100},
    "gdumb": {"limit": 100},
    "replay_mix": {"memory_limit": 100, "memory": "class_balanced_reservoir", "share": 0.3},
    "freshness": {"limit": 100, "unused_share": 0.7},
}


def remembering(small: Workplace, strategy: str = "remembering", **training: Any) -> Workplace:
    """The workplace, whose strategy keeps a state."""
    small.pipeline["trigger"] = {"policy": "data_amount", "every": EVERY}
    small.pipeline["strategy"] = {"name": strategy, **OPTIONS[strategy]}
    small.pipeline["training"].update(training)
    if strategy == "gdumb":
        small.pipeline["training"]["use_previous_model"] = False
    small.pipeline["evaluation"]["on"] = []
    small.pipeline.pop("deployment", None)
    return small


def sets(run_dir: Path) -> dict[str, bytes]:
    """The training sets."""
    return {one.name: one.read_bytes() for one in sorted((run_dir / "training_sets").glob("[0-9]*.parquet"))}


def keys_in(training_set: bytes) -> list[int]:
    """Of one."""
    keys: list[int] = pq.read_table(io.BytesIO(training_set))["key"].to_pylist()
    return keys


def states(run_dir: Path) -> dict[str, bytes]:
    """What is kept at the end."""
    return {one.name: one.read_bytes() for one in sorted((run_dir / "selection_states").iterdir())}


def hashes(run: OneProcess) -> dict[int, str]:
    """Trigger → what was kept then, as the journal has it."""
    commits = told_by(run.configuration, run.directory.journal_path).commits
    return {one.trigger_id: one.state.sha256 for one in commits.values() if isinstance(one, CommitState)}


def whole(small: Workplace) -> tuple[OneProcess, Path]:
    """A run that nobody disturbs, and where it is kept."""
    run = OneProcess(small, random.Random(0))
    run.begin()
    run.to_its_end()
    return run, small.run_dir


def test_a_memory_goes_from_trigger_to_trigger(small: Workplace) -> None:
    """At each it holds rows of all that came before; the two newest are there at the end."""
    run, run_dir = whole(remembering(small))
    memory = Reservoir(100, seed=0)
    for number in range(8):
        keys = np.arange((number + 1) * EVERY)
        known = keys[rows_in_split(keys.view(np.uint64), "train", test=0.2, validation=0.0)]
        found = keys_in((run_dir / f"training_sets/{number}.parquet").read_bytes())
        assert found == memory.keys(memory.observe(memory.empty(), known)).tolist()
    assert [*states(run_dir)] == ["6.msgpack", "7.msgpack"]
    assert [read_state(one)["selections"] for one in states(run_dir).values()] == [7, 8]
    assert sorted(hashes(run)) == [*range(8)]


@pytest.mark.parametrize("strategy", [*OPTIONS])
def test_whoever_is_killed_the_sets_and_states_are_the_same(small: Workplace, strategy: str) -> None:
    """Between any two lines of the journal, and between a line and what follows from it."""
    run, run_dir = whole(remembering(small, strategy))
    expected = hashes(run), sets(run_dir), states(run_dir)
    run_dir.rename(small.folder / "whole")
    killed = OneProcess(small, random.Random(0), risk=0.1)
    killed.begin()
    killed.to_its_end()
    assert killed.kills
    assert (hashes(killed), sets(run_dir), states(run_dir)) == expected


@pytest.mark.parametrize("strategy", ["remembering", "unsure"])
def test_what_is_lost_is_made_anew(small: Workplace, strategy: str) -> None:
    """A set in the middle, once nothing is kept any more: from the first trigger on, and nothing is trained again."""
    run, run_dir = whole(remembering(small, strategy))
    expected = hashes(run), sets(run_dir), states(run_dir)
    (run_dir / "training_sets/4.parquet").unlink()
    (run_dir / "selection_states/7.msgpack").unlink()
    run.done.clear()
    lines = run.directory.journal_path.read_bytes().splitlines(keepends=True)
    run.directory.journal_path.write_bytes(b"".join(lines[:-1]))  # it has not ended
    run.resume()
    run.to_its_end()
    again = [task.trigger_id for task, _ in run.done]
    assert {task.kind for task, _ in run.done} == {"select"}
    assert again == [0, 1, 2, 3, 4]
    assert hashes(run) == expected[0]
    assert sets(run_dir) == expected[1]


@pytest.mark.parametrize("lost", [range(3), range(2), [0, 2]])
def test_a_state_that_is_lost_on_the_way_is_made_anew(small: Workplace, lost: Any) -> None:
    """By observing again, from the last one that is there."""
    run, run_dir = whole(remembering(small))
    expected = hashes(run), sets(run_dir), states(run_dir)
    run_dir.rename(small.folder / "whole")
    killed = OneProcess(small, random.Random(1))
    killed.begin()
    while len(killed.state.triggers) < 4 or killed.state.to.train < 3:
        killed.turn()
    for number in lost:
        (run_dir / f"selection_states/{number}.msgpack").unlink(missing_ok=True)
    killed.resume()
    killed.to_its_end()
    assert (hashes(killed), sets(run_dir), states(run_dir)) == expected


def test_the_current_model_is_asked_in_turn(small: Workplace) -> None:
    """In a replay each selection asks the model of the trigger before, whoever works when."""
    for seed in range(2):
        run = OneProcess(remembering(small, "unsure", use_previous_model=False), random.Random(seed))
        run.begin()
        run.to_its_end()
        tasks = [task for task, _ in run.done if isinstance(task, SelectTask)]
        assert [task.model and task.model.trigger_id for task in tasks] == [None, *range(7)]
        assert read_state(states(small.run_dir)["7.msgpack"]) == [None, *range(7)]
        assert {task.queue for task in tasks[1:]} == {"select_by_model"}
        sizes = [len(keys_in(one)) for one in sets(small.run_dir).values()]
        assert all(size < 120 for size in sizes[1:])
        small.run_dir.rename(small.folder / f"run-{seed}")


@pytest.mark.parametrize("seed", range(2))
def test_labels_that_come_late_are_observed_once_known(small: Workplace, seed: int) -> None:
    """In any order, and a row each once: a memory that has room for all is all data, whoever is killed."""
    story, found = LateStory(seed), []
    story.write(story.prepare(small))
    for strategy, risk in (({"name": "all_data"}, 0.0), ({"name": "remembering"}, 0.1)):
        small.pipeline["strategy"] = strategy
        run = OneProcess(small, random.Random(seed), risk=risk)
        run.begin()
        run.to_its_end()
        found.append([(name, keys_in(one)) for name, one in sets(small.run_dir).items()])
        small.run_dir.rename(small.folder / strategy["name"])
    assert found[0]
    assert found[0] == found[1]
