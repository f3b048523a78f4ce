"""Strategies one after the other: who selects when, and who remembers what by then."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from shared.strategies.state import read_state, state_bytes
from shared.strategies.strategy import Piece
from tests.unit.strategies.asked import asked, built, selected

THREE = [
    {"name": "all_data"},
    {"name": "uniform", "fraction": 0.5, "from_trigger": 2},
    {"name": "latest", "limit": 7, "from_trigger": 5},
]


def follow(strategy, triggers, rows=20):
    """(keys, state) of each of so many triggers in a row, whose states are written and read in between."""
    state, found = None, []
    for turn in range(triggers):
        if strategy.observes:
            labels = pa.chunked_array([[1] * rows])
            piece = Piece(keys=np.arange(turn * rows, (turn + 1) * rows), rows=None, labels=labels)
            state = strategy.observe(piece, state)
        ages = np.repeat(np.arange(turn, -1, -1), rows)
        keys, _, state = selected(strategy, asked(ages, turn=turn), state)
        state = None if state is None else read_state(state_bytes(state))
        found.append((keys, state))
    return found


def test_each_selects_from_its_trigger_on():
    """Counted are triggers that selected something, whatever their own number is."""
    found = follow(built("schedule", strategies=THREE), 8)
    assert [len(keys) for keys, _ in found] == [20, 40, 10, 10, 10, 7, 7, 7]
    assert {state for _, state in found} == {None}


def test_a_memory_is_right_when_its_turn_comes():
    """It has observed all rows since the start; what it kept is dropped behind its turn."""
    strategies = [{"name": "all_data"}, {"name": "remembering", "from_trigger": 2}, {**THREE[1], "from_trigger": 4}]
    found = follow(built("schedule", strategies=strategies), 6)
    alone = follow(built("remembering"), 4)
    assert [keys for keys, _ in found[2:4]] == [keys for keys, _ in alone[2:]]
    assert found[1][1]["states"][1]["rows"].num_rows == 40
    assert [state["states"][1] for _, state in found[4:]] == [None, None]
    assert [state["over"] for _, state in found] == [0, 0, 1, 1, 2, 2]
    assert [len(keys) for keys, _ in found[4:]] == [10, 10]


def test_what_is_behind_its_turn_observes_no_more():
    """Also where a later one still does."""
    strategies = [{"name": "remembering", "limit": 5}, {"name": "remembering", "limit": 9, "from_trigger": 1}]
    found = follow(built("schedule", strategies=strategies), 3)
    assert [len(keys) for keys, _ in found] == [5, 9, 9]
    assert found[2][1]["states"][0] is None


def test_the_model_is_asked_in_turn_alone():
    """A replay then waits for no model before."""
    strategies = [{"name": "all_data"}, {"name": "unsure", "from_trigger": 3}, {**THREE[1], "from_trigger": 5}]
    schedule = built("schedule", strategies=strategies)
    assert schedule.reads_model
    assert [schedule.reads_model_at(turn) for turn in range(7)] == [False] * 3 + [True] * 2 + [False] * 2
    for turn, given in ((2, None), (5, None)):
        _, _, state = selected(schedule, asked([0] * 10, turn=turn), None, model=object())
        assert state is given


def test_whose_turn_it_is():
    """By name, also behind a warm-up and where labels are balanced; another strategy always is itself."""
    schedule = built("schedule", strategies=THREE)
    assert [schedule.part_at(turn) for turn in (0, 1, 2, 4, 5)] == ["all_data"] * 2 + ["uniform"] * 2 + ["latest"]
    around = built("schedule", strategies=THREE, warm_up=3, balance="label")
    assert [around.part_at(turn) for turn in (0, 2, 3, 5)] == ["warm_up", "warm_up", "uniform", "latest"]
    assert built("uniform", fraction=0.5).part_at(0) is None


def test_what_others_must_know_of_it():
    """What any of them needs, and the most that any selects."""
    tailed = {"name": "new_data", "tail": 3, "limit": 4, "from_trigger": 9}
    schedule = built("schedule", strategies=[THREE[0], tailed])
    assert (schedule.selects_all, schedule.selects_at_most, schedule.earlier_triggers) == (True, None, 4)
    limited = built("schedule", strategies=[{"name": "latest", "limit": 9}, tailed])
    assert limited.selects_at_most == 9
    assert not limited.observes
    assert not limited.wants_labels


def test_a_schedule_of_pipelines():
    """The warm-up on all, then two stages."""
    stages = [{"name": "uniform", "fraction": 0.5}, {"name": "uniform", "fraction": 0.1}]
    strategies = [{"name": "all_data"}, {"name": "pipeline", "stages": stages, "from_trigger": 2}]
    assert [len(keys) for keys, _ in follow(built("schedule", strategies=strategies), 4, 40)] == [40, 80, 2, 2]
