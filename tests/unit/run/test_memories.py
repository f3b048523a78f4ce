"""Strategies that remember, in a run of one process: late labels, rows that are set aside, runs beside each other."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from late_stories import LateStory
from one_process import OneProcess
from workplace import Workplace

from shared.strategies.memories.used import Used
from shared.strategies.state import read_state
from tests.support.written_set import read_set
from tests.unit.run.test_kept_states import sets, states, whole
from tests.unit.run.test_set_aside import broken

ROOM = 10_000  # for all rows
WITH_ROOM: dict[str, dict[str, Any]] = {
    "class_balanced_reservoir": {"limit": ROOM},
    "replay_mix": {"memory_limit": ROOM, "memory": "class_balanced_reservoir"},
    "freshness": {"limit": ROOM, "unused_share": 0.5},
    "herding": {"limit": ROOM},
}


def chosen(small: Workplace) -> dict[str, list[int]]:
    """The keys of each training set."""
    return {name: read_set(body).keys.tolist() for name, body in sets(small.run_dir).items()}


def test_with_room_for_all_labels_that_come_late_are_all_there(small: Workplace) -> None:
    """Each memory is all data then, row by row, in whatever order labels became known and whoever is killed."""
    story, found = LateStory(1), {}
    story.every, story.period_days = 40, None
    story.write(story.prepare(small))
    small.pipeline["evaluation"]["on"] = []
    small.pipeline.pop("deployment")
    for name, options in {"all_data": {}, **WITH_ROOM}.items():
        small.pipeline["strategy"] = {"name": name, **options}
        run = OneProcess(small, random.Random(1), risk=0.0 if name == "all_data" else 0.05)
        run.begin()
        run.to_its_end()
        found[name] = chosen(small)
        small.run_dir.rename(small.folder / name)
    assert len(found["all_data"]) > 3
    assert all(one == found["all_data"] for one in found.values())


@pytest.mark.parametrize("strategy", ["class_balanced_reservoir", "replay_mix", "freshness"])
def test_rows_that_are_set_aside_are_remembered_by_nobody(small: Workplace, strategy: str) -> None:
    """Until they are released: then they are new once, and remembered as others are."""
    broken(small).pipeline["strategy"] = {"name": strategy, **WITH_ROOM[strategy]}
    run = OneProcess(small, random.Random(0))
    run.start()
    while run.observer.position < 1750:
        assert run.observe() or run.work()
    run._happen(run.observer.fire("they are right", "a-request"))
    run.to_its_end()
    keys = np.arange(2000)
    seen = [keys[:250], keys[:500], keys[:750], np.r_[0:750, 1250:1500], keys[:1750], keys]
    assert chosen(small) == {f"{number}.parquet": one.tolist() for number, one in enumerate(seen)}


def test_what_one_run_used_is_unused_to_another(small: Workplace) -> None:
    """Two runs of one pipeline over one dataset select the same, and each knows its own rows."""
    small.pipeline["strategy"] = {"name": "freshness", "limit": 100, "unused_share": 0.9}
    small.pipeline["evaluation"]["on"] = []
    small.pipeline.pop("deployment")
    found = []
    for name in ("first", "second"):
        _, run_dir = whole(small)
        used = {key for keys in chosen(small).values() for key in keys}
        (*_, newest) = states(run_dir).values()
        assert np.flatnonzero(Used(read_state(newest)).among(np.arange(2000))).tolist() == sorted(used)
        found.append((sets(run_dir), states(run_dir)))
        run_dir.rename(small.folder / name)
    assert found[0] == found[1]
    sizes = [len(read_set(body).keys) for body in found[0][0].values()]
    assert sizes == [100] * 4
