"""What a strategy keeps is handed from selection to selection, and made anew where it is lost."""

from __future__ import annotations

from typing import Any

from run_of_events import RUN, Run, ref
from workplace import Workplace

from shared.ids import TriggerId, task_id
from shared.messages.reports import Failed, Selected
from shared.messages.tasks import SelectTask
from supervisor.core.commands import CommitState, End, Publish, RetireState
from supervisor.core.events import Resumed, StreamEnded
from supervisor.core.trigger_state import Phase


def select(run: Run, trigger: int, samples: int = 9, attempt: int | None = None) -> list[Any]:
    """A training set is written, and what the strategy keeps; by the attempt that counts."""
    if attempt is None:
        attempt = run.state.tasks[task_id(RUN, TriggerId(trigger), "select")].task.attempt
    written = {"training_set": ref("training_sets/.x.parquet"), "state": ref(f"selection_states/.{trigger}.x.msgpack")}
    return run.report(Selected, "select", trigger, attempt, **written, samples=samples, rows_read=9, watermark_key=9)


def selections(commands: list[Any]) -> list[tuple[int, int | None, str | None]]:
    """Trigger, the last observed key, and what each goes on from."""
    tasks = [one.task for one in commands if isinstance(one, Publish) and isinstance(one.task, SelectTask)]
    return [(t.trigger_id, t.observed and t.observed.key, t.state and t.state.name) for t in tasks]


def done(small: Workplace, triggers: int, **training: Any) -> Run:
    """A run with so many selections done, one of each ten rows, and none trained."""
    run = Run(small, use_previous_model=False, **training)
    run.fire(*(10 * n + 9 for n in range(triggers)))
    for trigger in range(triggers):
        select(run, trigger)
    return run


def test_the_next_selection_goes_on_from_what_was_kept(small: Workplace) -> None:
    """It waits for that to be committed, under its own name."""
    run = Run(small, use_previous_model=False)
    assert selections(run.fire(9, 19)) == [(0, None, None)]
    commands = select(run, 0)
    assert [one for one in commands if isinstance(one, CommitState)]
    assert selections(commands) == [(1, 9, "selection_states/0.msgpack")]


def test_a_zombie_changes_nothing(small: Workplace) -> None:
    """Only the attempt that counts has a say, once."""
    run = done(small, 1)
    before = run.state
    assert select(run, 0, attempt=1) == select(run, 0, attempt=7) == []
    assert run.state == before


def test_a_trigger_that_trains_nothing_leaves_what_there_was(small: Workplace) -> None:
    """The next one observes its rows as well: an empty one's, and those of one that failed at selection."""
    run = done(small, 1, on_failure="continue")
    run.fire(19, 29, 39)
    assert selections(select(run, 1, samples=0)) == [(2, 9, "selection_states/0.msgpack")]
    commands = run.report(Failed, "select", 2, sentence="", traceback="")
    assert [run.state.trigger(n).phase for n in (1, 2)] == [Phase.EMPTY, Phase.FAILED]
    assert selections(commands) == [(3, 9, "selection_states/0.msgpack")]


def test_a_trigger_that_fails_later_has_left_its_own(small: Workplace) -> None:
    """What its selection kept is there, whether or not a model came of it."""
    run = done(small, 1, on_failure="continue")
    run.report(Failed, "train", 0, sentence="", traceback="")
    assert run.state.trigger(0).phase is Phase.FAILED
    assert selections(run.fire(19)) == [(1, 9, "selection_states/0.msgpack")]


def test_the_two_newest_stay_and_what_trainings_may_need(small: Workplace) -> None:
    """What the training set of a training that is not over would be made anew from, if it were lost."""
    del small.pipeline["deployment"], small.pipeline["evaluation"]
    run = done(small, 4)
    assert run.state.states_kept == (0, 1, 2, 3)
    commands = [one for trigger in range(4) for one in run.train(trigger)]
    assert [one.trigger_id for one in commands if isinstance(one, RetireState)] == [0, 1]
    assert run.state.states_kept == (2, 3)


def test_a_lost_one_is_made_anew_from_the_last_that_is_there(small: Workplace) -> None:
    """Only what is needed: the selections behind it, one after the other, which change nothing else."""
    run = done(small, 4)
    before = run.state.trigger(2)
    commands = run.tell(Resumed(time_us=0, attempts_above=100, lost_states=(TriggerId(2), TriggerId(3))))
    assert selections(commands) == [(2, 19, "selection_states/1.msgpack")]
    assert run.state.trigger(2).phase is before.phase
    assert selections(run.fire(49)) == [], "it waits"
    commands = select(run, 2)
    assert not [one for one in commands if not isinstance(one, CommitState | Publish)]
    assert selections(commands) == [(3, 29, "selection_states/2.msgpack")]
    assert selections(select(run, 3)) == [(4, 39, "selection_states/3.msgpack")]


def test_one_that_nobody_needs_any_more_is_not_made_anew(small: Workplace) -> None:
    """The stream has ended, and all is selected."""
    run = done(small, 3)
    run.tell(StreamEnded(time_us=0, key=29))
    assert selections(run.tell(Resumed(time_us=0, attempts_above=100, lost_states=(TriggerId(2),)))) == []


def test_a_training_set_that_is_lost_needs_what_was_kept_before_it(small: Workplace) -> None:
    """Where that was let go of, it is made anew first; at worst from the first trigger on."""
    run = done(small, 3)
    lost = {"lost_training_sets": (TriggerId(2),), "lost_states": (TriggerId(0), TriggerId(1))}
    assert selections(run.tell(Resumed(time_us=0, attempts_above=100, **lost))) == [(0, None, None)]
    assert selections(select(run, 0)) == [(1, 9, "selection_states/0.msgpack")]
    commands = select(run, 1)
    assert selections(commands) == [(2, 19, "selection_states/1.msgpack")]


def test_what_cannot_be_made_anew_ends_the_run(small: Workplace) -> None:
    """Later triggers went on from it, so its trigger cannot fail alone."""
    run = done(small, 2, on_failure="continue")
    run.tell(Resumed(time_us=0, attempts_above=100, lost_states=(TriggerId(1),)))
    attempt = run.state.tasks[task_id(RUN, TriggerId(1), "select")].task.attempt
    commands = run.report(Failed, "select", 1, attempt, sentence="No.", traceback="")
    (end,) = [one for one in commands if isinstance(one, End)]
    assert end.reason == (
        "trigger 1: No. It was to make anew what the strategy kept, which is gone: mend the cause, then --resume."
    )
