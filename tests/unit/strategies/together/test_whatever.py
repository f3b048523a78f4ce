"""What may be said of any strategy: a warm-up, a new beginning at each trigger, balanced labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.strategies.plain.uniform import Uniform
from shared.strategies.strategy import Strategy, unweighted
from shared.strategies.together.stages import Stages
from shared.strategies.together.whatever import Around
from tests.unit.strategies.asked import asked, built, selected
from tests.unit.strategies.together.test_schedule import follow


def test_a_warm_up_selects_all_that_is_known_then():
    """Whatever the strategy, and its limit; then it selects as ever."""
    alone = follow(built("uniform", limit=3, of="new"), 5)
    warmed = follow(built("uniform", limit=3, of="new", warm_up=2), 5)
    assert [keys for keys, _ in warmed[:2]] == [list(range(20)), list(range(40))]
    assert warmed[2:] == alone[2:]


def test_a_memory_observes_during_a_warm_up():
    """So that it holds what it would have held, and has a place for what selections leave."""
    alone = follow(built("remembering", limit=10), 4)
    warmed = follow(built("remembering", limit=10, warm_up=2), 4)
    assert [keys for keys, _ in warmed[2:]] == [keys for keys, _ in alone[2:]]
    assert [state["selections"] for _, state in warmed] == [0, 0, 1, 2]


def test_no_model_is_waited_for_during_a_warm_up():
    """Nor asked."""
    warmed = built("unsure", warm_up=2)
    assert [warmed.reads_model_at(turn) for turn in range(4)] == [False, False, True, True]
    assert selected(warmed, asked([0] * 6, turn=1), None, model=object())[::2] == (list(range(6)), None)


def test_a_forecast_of_a_warm_up_is_of_all():
    """And without a limit."""
    plain, warmed = built("new_data", limit=5), built("new_data", limit=5, warm_up=1)
    assert (plain.selects_all, plain.selects_at_most) == (False, 5)
    assert (warmed.selects_all, warmed.selects_at_most) == (True, None)


@given(ages=st.lists(st.integers(0, 2), min_size=1, max_size=60), cut=st.integers(0, 60))
def test_a_new_beginning_is_of_new_rows(ages, cut):
    """What selects from all, by key, time or label, sees only rows since the previous trigger."""
    times, labels = np.arange(len(ages)) * 1_000_000, ["ab"[key % 2] for key in range(len(ages))]
    request = asked(ages, times=times, labels=labels, cuts=(cut,))
    new = [key for key, age in enumerate(ages) if age == 0]
    latest = built("latest", limit=5, reset_on_trigger=True)
    assert not latest.selects_all
    assert selected(latest, request)[0] == new[-5:]
    assert selected(built("all_data", reset_on_trigger=True), request)[0] == new
    assert selected(built("recency", half_life="1d", reset_on_trigger=True), request)[0] == new
    window = selected(built("sliding_window", last="10s", reset_on_trigger=True), request)[0]
    assert window == [key for key in new if key > len(ages) - 11]
    both = selected(built("balanced", by="label", of="all", limit=99, reset_on_trigger=True), request)[0]
    assert both == new


def test_a_memory_begins_anew_behind_each_trigger():
    """It holds rows since the previous one alone, and nothing is kept; so it is in a warm-up, too."""
    found = follow(built("remembering", limit=15, reset_on_trigger=True), 3)
    assert [state for _, state in found] == [None] * 3
    assert [(min(keys) // 20, max(keys) // 20, len(keys)) for keys, _ in found] == [(n, n, 15) for n in range(3)]
    warmed = follow(built("remembering", limit=15, warm_up=2, reset_on_trigger=True), 3)
    assert warmed[0] == (list(range(20)), None)
    assert warmed[1] == (list(range(40)), None)
    assert warmed[2] == found[2]


def test_labels_are_balanced_behind_the_selection():
    """As many of each as the rarest has of the rows selected; no more than the limit."""
    labels = ["abbb"[key % 4] for key in range(400)]
    request = asked([0] * 400, labels=labels)
    strategy = built("uniform", limit=100, balance="label")
    first = selected(built("uniform", limit=100), request)[0]
    keys, weights, _ = selected(strategy, request)
    rare = sum(key % 4 == 0 for key in first)
    assert set(keys) <= set(first)
    assert [sum(labels[key] == one for key in keys) for one in "ab"] == [rare, rare]
    assert set(weights) == {1.0}
    assert strategy.selects_at_most == 100
    assert len(selected(built("uniform", limit=9, balance="label", warm_up=1), request)[0]) == 400


class Standing(Strategy):
    """It keeps at which triggers it stood by, and whether all rows were selected."""

    def select(self, request, state, model):
        """Nothing is learned from that."""
        return unweighted(request.rows(1)), state

    def stood_by(self, request, state, *, all_rows):
        """One more."""
        return [*(state or []), [request.turn, all_rows]]


def test_a_strategy_hears_that_it_stood_by():
    """In a warm-up of all data, as a member of a schedule until its turn, and within others."""
    warmed = Around(Standing({}), warm_up=2, resets=False)
    assert follow(warmed, 3)[-1][1] == [[0, True], [1, True]]
    staged = Around(Stages([Standing({}), Standing({})]), warm_up=1, resets=False)
    assert follow(staged, 2)[-1][1] == [[[0, True]], [[0, True]]]
    schedule = built("schedule", strategies=[{"name": "all_data"}, {"name": "all_data", "from_trigger": 3}])
    schedule._members[1] = Standing({})
    found = follow(Around(schedule, warm_up=1, resets=False), 5)
    assert found[0][1] == {"over": 0, "states": [None, [[0, True]]]}
    assert found[4][1] == {"over": 1, "states": [None, [[0, True], [1, False], [2, False]]]}


def test_nothing_that_is_said_changes_nothing():
    """The strategy is its own self."""
    assert type(built("uniform", limit=5, warm_up=0, reset_on_trigger=False)) is Uniform


@pytest.mark.parametrize("said", [{"warm_up": 1}, {"reset_on_trigger": True}, {"balance": "label"}])
def test_what_it_is_stays(said):
    """What others must know of a strategy goes through."""
    strategy = built("remembering", **said)
    assert strategy.observes
    assert strategy.wants_labels
    assert not strategy.rules


def test_memories_are_right_behind_a_warm_up():
    """What was replayed is what came before, and all rows that a warm-up trained on were used."""
    mix = {"memory": "reservoir", "memory_limit": 10, "limit": 20}
    alone, warmed = follow(built("replay_mix", **mix), 4), follow(built("replay_mix", **mix, warm_up=2), 4)
    assert warmed[2:] == alone[2:]
    fresh = follow(built("freshness", limit=10, unused_share=1.0, warm_up=2), 3)
    assert all(key >= 40 for key in fresh[2][0])
