"""What a policy makes of rows, answers and time becomes triggers, questions and near misses, whoever asks it."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from begun import BEGUN
from hypothesis import given
from hypothesis import strategies as st

from shared.config.pipeline import Trigger
from shared.errors import RunFailedError
from shared.ids import RunId, TriggerId
from supervisor.core.events import Observed, RunStarted
from supervisor.core.seen import Asked, Fired
from supervisor.core.state import RunState
from supervisor.core.transition import transition
from supervisor.run.observe.firing import Firing, Looked
from supervisor.run.observe.sound import as_journaled, asked_by, observation_of, seen_by
from supervisor.run.start.preview import only_a_run_says
from supervisor.triggers.policy import Batch, Observation, Question, TriggerPolicy

ROWS = Batch(first_key=0, timestamps_us=np.arange(60), event_time_us=np.arange(60))
ASKING = Trigger(name="asking", options={"every": 7, "fires": 2, "needs_model": False, "twice": False})
HEARING = Trigger(name="hearing", options={"every": 10})


def begun(mode="production", maximum_triggers=None):
    """A run at key 0."""
    started = RunStarted(
        time_us=0, run_id=RunId("run"), mode=mode, first_key=0, stop_key=None, maximum_triggers=maximum_triggers
    )
    return transition(BEGUN, started)[0]


def after(run: RunState, firing: Firing, looked: Looked) -> RunState:
    """The run once the journal has it."""
    event = Observed(
        time_us=0, key=looked.stop_key - 1, event_time_us=looked.stop_key - 1, began_us=0,
        triggers=tuple(looked.fired), question=looked.question, policy=firing.state,
    )  # fmt: skip
    return transition(run, event)[0]


def followed(trigger, cuts, restarts=()):
    """Keys of questions and triggers of a stream in batches, whose supervisor is another one from some rows on."""
    run, found = begun(), []
    firing, key = Firing(trigger, run), 0
    while key < ROWS.stop_key:
        stop = min([cut for cut in cuts if cut > key], default=ROWS.stop_key)
        looked = firing.look(ROWS.part(key, stop), 0, run)
        run, key = after(run, firing, looked), looked.stop_key
        while looked.question is not None:
            found.append(looked.question.key)
            looked = firing.answer(looked.question, {"rows": 7, "model": None}, run)
            run = transition(after(run, firing, looked), Observed(time_us=0, key=0, event_time_us=0, answered=True))[0]
            found += [(one.id, one.key) for one in looked.fired]
        if key in restarts:
            firing = Firing(trigger, run)
    return found, firing.state


@given(cuts=st.sets(st.integers(1, 59)), restarts=st.sets(st.integers(1, 59)))
def test_neither_batches_nor_restarts_show(cuts, restarts):
    """Questions, triggers and the policy's state are the same."""
    found, state = followed(ASKING, cuts | restarts, restarts)
    assert (found, state) == followed(ASKING, ())
    assert [one for one in found if isinstance(one, tuple)] == [(number, 14 * number + 13) for number in range(4)]
    assert state.memory["fired"] == [13, 27, 41, 55]


def test_after_the_last_trigger_nothing_is_asked():
    """`--maximum-triggers`: the rows behind are looked at by nobody."""
    run = begun(maximum_triggers=1)
    firing = Firing(ASKING, run)
    first = firing.look(ROWS, 0, run)
    firing.answer(first.question, {"rows": 7, "model": None}, run)
    firing.answer(firing.look(ROWS.part(7, 60), 0, run).question, {"rows": 7, "model": None}, run)
    rest = firing.look(ROWS.part(14, 60), 0, run)
    assert (firing.fired_all, rest.stop_key, rest.question, rest.fired) == (True, 60, None, [])


def test_a_trigger_by_hand_is_at_the_last_row_and_the_policy_is_told():
    """Not twice at the same row, nor by a policy that decides for it later: that is a near miss."""
    run = begun()
    firing = Firing(ASKING, run)
    assert firing.by_hand("now", "r1", -1, 0) is None
    looked = firing.look(ROWS, 0, run)
    by_hand = firing.by_hand("the feed was mended", "r2", 6, 6)
    (fired,) = by_hand.fired
    assert (fired.id, fired.key, fired.timestamp_us, fired.reason) == (0, 6, 6, "the feed was mended")
    assert firing.state.memory["fired"] == [6]
    assert firing.by_hand("again", "r3", 6, 6) is None
    answered = firing.answer(looked.question, {"rows": 7, "model": None}, run)
    assert [one.reason for one in answered.considered] == ["answer 1 counted 7 rows"]
    firing.look(ROWS.part(7, 60), 0, run)
    firing.by_hand("once more", "r4", 13, 13)
    answered = firing.answer(
        Asked(key=13, timestamp_us=13, detector="counting", options={}), {"rows": 7, "model": None}, run
    )
    assert answered.fired == []
    assert [one.reason for one in answered.considered] == [
        "answer 2 counted 7 rows; no row has come since the last trigger"
    ]


def test_where_it_is_quiet_the_policy_is_asked_and_told_of_once():
    """A trigger is at the last row; what it decides against is told once for each last row."""
    run = begun()
    firing = Firing(HEARING, run)
    assert firing.quiet(1, -1, 0, run) is None
    firing.look(ROWS.part(0, 5), 0, run)
    assert [len(firing.quiet(now_us, 4, 4, run).considered) for now_us in (2, 3)] == [1, 0]
    assert firing.state.memory["now_us"] == 3
    (fired,) = firing.quiet(1, 4, 4, run).fired
    assert (fired.key, fired.timestamp_us, fired.reason) == (4, 4, "it is quiet")
    assert firing.quiet(1, 4, 4, run) is None


@pytest.mark.parametrize("mode", ["production", "experiment"])
def test_trainings_are_told_in_order_and_a_replay_waits_for_them(mode):
    """In production it goes on meanwhile, and hears how long they took."""
    run = begun(mode)
    firing = Firing(HEARING, run)
    looked = firing.look(ROWS, 0, run)
    run = after(run, firing, looked)
    waits = mode == "experiment"
    assert (len(looked.fired), looked.stop_key) == ((1, 10) if waits else (6, 60))
    assert firing.waits_for_training(run) is waits
    model = {"phase": "committed", "model": object(), "samples": 9, "train_s": 1.5}
    run = run.with_trigger(0, **{**model, "phase": run.trigger(0).phase.COMMITTED})
    assert not firing.waits_for_training(run)
    firing.quiet(2, looked.stop_key, 0, run)
    assert firing.state.memory["heard"] == [[0, 9, 1.5]]
    assert firing.state.told == 1


def test_where_a_journal_has_no_state_of_the_policy_it_begins_anew():
    """As that of a run which was begun when no policy had any."""
    fired = Fired(id=TriggerId(0), key=9, timestamp_us=9, reason="")
    run = transition(begun(), Observed(time_us=0, key=9, event_time_us=9, began_us=0, triggers=(fired,)))[0]
    firing = Firing(Trigger(name="data_amount", options={"every": 10}), run)
    assert [(one.id, one.key) for one in firing.look(ROWS.part(10, 35), 0, run).fired] == [(1, 19), (2, 29)]


def test_only_a_run_says_when_some_policies_fire():
    """Those that ask, also behind guards, or hear of trainings."""
    guarded = msgspec.structs.replace(ASKING, guards={"at_most": 3})
    rows = Trigger(name="data_amount", options={"every": 10}, guards={"at_most": 3})
    assert [only_a_run_says(one) for one in (guarded, HEARING, rows)] == [True, True, False]


@pytest.mark.parametrize("seen_key", [4, 10])
def test_rows_that_a_policy_was_not_given_it_cannot_have_seen(seen_key):
    """It would be asked for ever, or rows would be left out."""
    with pytest.raises(RunFailedError, match="mine was given the rows with keys 5 to 9 and says that the last it has"):
        seen_by(Observation(state={}, seen_key=seen_key), ROWS.part(5, 10), who="mine")


def test_a_question_is_asked_by_who_says_that_it_asks_and_at_the_last_row():
    """Else a preview would count triggers that nobody has decided, and a resume leave rows out."""
    question = Question(key=5, timestamp_us=5, detector="drift", options={})
    with pytest.raises(RunFailedError, match="at key 5, but its class does not say that it `asks`"):
        asked_by(question, TriggerPolicy({}, None), 5, who="mine")
    policy = TriggerPolicy({}, None)
    policy.asks = True
    with pytest.raises(RunFailedError, match="asks a question at key 5, but the last row it has seen is 6"):
        asked_by(question, policy, 6, who="mine")


@pytest.mark.parametrize("returned", [None, []])
def test_what_is_no_observation_is_refused(returned):
    """As what a policy of an earlier version returns."""
    with pytest.raises(RunFailedError, match="mine returned .*; it returns an Observation"):
        observation_of(returned, "mine")


def test_what_json_cannot_hold_is_no_state():
    """The journal could not keep it; what it can hold is as it comes back."""
    assert as_journaled("mine", {"pair": (1, 2)}) == {"pair": [1, 2]}
    with pytest.raises(RunFailedError, match="mine holds what JSON cannot"):
        as_journaled("mine", {"array": np.int64(3)})
