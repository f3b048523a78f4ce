"""herding in a run of one process: what it keeps is of the current model, whoever works when and is killed."""

from __future__ import annotations

import random
from typing import Any

import pytest
from one_process import OneProcess
from workplace import Workplace

from shared.messages.tasks import SelectTask
from shared.strategies.state import read_state
from tests.support.written_set import read_set
from tests.unit.run.test_kept_states import hashes, sets, states, whole

HERDING: dict[str, Any] = {"name": "herding", "limit": 100}
REPLAYED: dict[str, Any] = {"name": "replay_mix", "memory": "herding", "memory_limit": 100, "share": 0.3}


@pytest.mark.parametrize("strategy", [HERDING, REPLAYED])
def test_exemplars_are_those_of_the_current_model(small: Workplace, strategy: dict[str, Any]) -> None:
    """Balanced over classes, and replayed from the trigger before; the same sets and states whoever is killed."""
    small.pipeline["trigger"] = {"policy": "data_amount", "every": 400}
    small.pipeline["strategy"] = strategy
    small.pipeline["evaluation"]["on"] = []
    small.pipeline.pop("deployment")
    run, run_dir = whole(small)
    tasks = [task for task, _ in run.done if isinstance(task, SelectTask)]
    assert [task.model and task.model.trigger_id for task in tasks] == [None, 0, 1, 2, 3]
    (*_, newest) = [read_state(one) for one in states(run_dir).values()]
    table = newest if strategy is HERDING else newest["memory"]
    assert [one["counts"] for one in table["class"].value_counts().to_pylist()] == [50, 50]
    found = [read_set(one).keys for one in sets(run_dir).values()]
    if strategy is HERDING:
        assert [len(keys) for keys in found] == [100] * 5
    else:
        assert [(keys < 400 * number).sum() for number, keys in enumerate(found)] == [0, 100, 100, 100, 100]
    expected = hashes(run), sets(run_dir), states(run_dir)
    run_dir.rename(small.folder / "whole")
    killed = OneProcess(small, random.Random(0), risk=0.1)
    killed.begin()
    killed.to_its_end()
    assert killed.kills
    assert (hashes(killed), sets(run_dir), states(run_dir)) == expected
