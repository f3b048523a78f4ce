"""Questions of the trigger policy in the core: published once, tried again as tasks are, and answered once."""

from __future__ import annotations

from typing import Any

import pytest
from run_of_events import RUN, Run, ref, run_started
from workplace import Workplace

from shared.ids import TaskId, TriggerId, WorkerId, task_id
from shared.labels.as_of import AsOf
from shared.messages.reports import Claimed, Detected, Failed, Gathered, Trained
from shared.messages.tasks import DetectTask
from supervisor.core.commands import End, Publish, PublishChord, Republish
from supervisor.core.events import Garbled, LeaseExpired, Observed, Reported, Resumed, Wiped
from supervisor.core.notices import TaskGivenUp, TriggerConsidered, TriggerFired
from supervisor.core.outlook import open_question, outlook
from supervisor.core.seen import Asked, Considered, Fired, LabelsKnown, PolicyState, Violated

ASKED = Asked(key=99, timestamp_us=5, detector="drift", options={"rows": 50})


def seen(key: int, asked: Asked | None = None, **more: Any) -> Observed:
    """Rows up to a key, and what the policy asks."""
    return Observed(time_us=0, key=key, event_time_us=key, question=asked, policy=PolicyState(), **more)


def detect(trigger: int, number: int = 0) -> TaskId:
    """The task of a question."""
    return task_id(RUN, TriggerId(trigger), "detect", number)


def reported(task: TaskId, attempt: int = 1, answer: dict[str, Any] | None = None) -> Reported:
    """A worker's answer."""
    report = Detected(task_id=task, attempt=attempt, worker=WorkerId("w"), answer=answer or {"mmd": 0.5})
    return Reported(time_us=0, position="1-0", report=report)


def asks(run: Run, asked: Asked = ASKED) -> list[Any]:
    """What a question has published."""
    return [one for one in run.tell(seen(asked.key, asked)) if isinstance(one.task, DetectTask)]


def test_a_question_is_published_once_and_answered_once(small: Workplace) -> None:
    """Its task belongs to the trigger that may follow, and reads labels as they were known at the row."""
    run = Run(small)
    known = LabelsKnown(key=42, event_time_us=3, position=7)
    asked = Asked(key=99, timestamp_us=5, detector="drift", options={"rows": 50}, labels=known)
    (command,) = asks(run, asked)
    assert isinstance(command, Publish)
    assert command.task_id == detect(0)
    task = command.task
    assert isinstance(task, DetectTask)
    assert (task.number, task.key, task.timestamp_us, task.labelled_key, task.attempt) == (0, 99, 5, 42, 1)
    assert (task.labels, task.model) == (AsOf(event_time_us=5, position=7), None)
    assert run.tell(seen(99)) == []
    assert run.state.stream.question.answer is None
    run.tell(reported(detect(0)))
    run.tell(reported(detect(0), answer={"mmd": 0.9}))
    assert run.state.stream.question.answer == {"mmd": 0.5}
    run.tell(seen(99, answered=True, considered=(Considered(key=99, reason="0.5 < 0.6"),)))
    assert run.state.stream.question is None
    assert [one.considered.reason for one in run.notices if isinstance(one, TriggerConsidered)] == ["0.5 < 0.6"]
    (command,) = asks(run, Asked(key=199, timestamp_us=5, detector="drift", options={}))
    assert command.task_id == detect(0, 1)


def test_it_is_told_which_rows_are_set_aside(small: Workplace) -> None:
    """Those up to now, put together."""
    run = Run(small)
    broken = (Violated(first_key=first, last_key=first + 9, on_violation="hold", why="") for first in (20, 30))
    run.tell(seen(49, violations=tuple(broken)))
    (command,) = asks(run, ASKED)
    assert command.task.left_out == ((20, 39),)


def test_near_misses_and_triggers_are_told_in_key_order(small: Workplace) -> None:
    """Also where one event has many of them, as of a whole batch; one that was kept at a trigger's key comes first."""
    run = Run(small)
    fired = tuple(Fired(id=TriggerId(n), key=key, timestamp_us=key, reason="") for n, key in enumerate((19, 39)))
    missed = tuple(Considered(key=key, reason="") for key in (9, 29, 39, 49))
    run.tell(seen(59, triggers=fired, considered=missed))
    told = [one.fired.id if isinstance(one, TriggerFired) else one.considered.key for one in run.notices]
    assert told == [9, 0, 29, 39, 1, 49]
    assert run.state.stream.near_misses == 4


@pytest.mark.parametrize("how", ["lease", "garbled", "wiped", "resumed"])
def test_one_that_is_lost_is_tried_again(small: Workplace, how: str) -> None:
    """As any task is, although there is no trigger yet; what the first attempt says then counts no more."""
    run = Run(small)
    asks(run)
    events = {
        "lease": LeaseExpired(time_us=0, task_id=detect(0), attempt=1),
        "garbled": Garbled(time_us=0, position="2-0", task_id=detect(0), attempt=1, why="half"),
        "wiped": Wiped(time_us=0),
        "resumed": Resumed(time_us=0, attempts_above=1_000_000),
    }
    (command,) = run.tell(events[how])
    assert isinstance(command, Republish)
    number = 1_000_001 if how == "resumed" else 2
    assert command.task.attempt == number
    run.tell(reported(detect(0)))
    assert run.state.stream.question.answer is None
    run.tell(reported(detect(0), number))
    assert run.state.stream.question.answer == {"mmd": 0.5}


@pytest.mark.parametrize("on_failure", ["stop", "continue"])
def test_one_that_nobody_can_answer_ends_the_run(small: Workplace, on_failure: str) -> None:
    """Whatever becomes of triggers: a policy without its answer can decide nothing. The task stays for --resume."""
    run = Run(small, on_failure=on_failure)
    asks(run)
    failed = Failed(task_id=detect(0), attempt=1, worker=WorkerId("w"), sentence="no column x.", traceback="")
    (end,) = run.tell(Reported(time_us=0, position="2-0", report=failed))
    assert isinstance(end, End)
    assert (end.status, end.reason) == ("failed", "the question of the trigger policy at key 99: no column x.")
    assert [type(one) for one in run.notices] == [TaskGivenUp]
    (command,) = run.tell(Resumed(time_us=0))
    assert isinstance(command, Republish)


def test_what_it_waits_for_is_told(small: Workplace) -> None:
    """For `runs`: a worker, and then that one is at it."""
    run = Run(small)
    asks(run)
    told = "to look at the rows up to key 99 for the trigger policy"
    assert open_question(run.state) == outlook(run.state).sentence == f"a worker {told} is waited for"
    run.tell(Reported(time_us=0, position="2-0", report=Claimed(task_id=detect(0), attempt=1, worker=WorkerId("w"))))
    assert outlook(run.state).sentence.endswith("a worker looks at the rows up to key 99 for the trigger policy")


OF_MODEL = Asked(key=250, timestamp_us=5, detector="drift", options={}, needs_model=True)


def current(commands: list[Any]) -> list[int | None]:
    """Of which trigger's model questions are that are published."""
    tasks = [one.task for one in commands if isinstance(one, Publish) and isinstance(one.task, DetectTask)]
    return [None if task.model is None else task.model.trigger_id for task in tasks]


def test_in_a_replay_it_waits_until_the_newest_trigger_has_its_model_or_never_will(small: Workplace) -> None:
    """So it is asked of the same model, however many workers there are."""
    run = Run(small)
    assert current(run.tell(seen(50, OF_MODEL))) == [None]
    run = Run(small)
    run.fire(99, 199)
    assert run.tell(seen(250, OF_MODEL)) == []
    run.select(0)
    assert current(run.train(0)) == []
    run.select(1)
    assert current(run.train(1)) == [1]


def test_a_trigger_that_got_no_model_leaves_the_one_before_the_current_one(small: Workplace) -> None:
    """Nothing was selected for it."""
    run = Run(small)
    run.fire(99, 199)
    run.select(0)
    run.train(0)
    assert run.tell(seen(250, OF_MODEL)) == []
    assert current(run.select(1, samples=0)) == [0]


def test_in_production_it_takes_the_newest_model_that_there_is(small: Workplace) -> None:
    """Nobody waits for a training."""
    run = Run(small)
    run.state = run.state.but(started=run_started(mode="production"))
    run.fire(99, 199)
    run.select(0)
    run.train(0)
    assert current(run.tell(seen(250, OF_MODEL))) == [0]


def test_one_about_a_lost_model_waits_until_that_is_made_anew(small: Workplace) -> None:
    """And names the new one, whose bytes may be others."""
    run = Run(small)
    run.fire(99)
    run.select(0)
    run.train(0)
    run.tell(seen(250, OF_MODEL))
    task = detect(1)
    again = run.tell(Resumed(time_us=0, lost_models=(TriggerId(0),)))
    assert task in run.state.held
    (chord,) = [one for one in again if isinstance(one, PublishChord)]
    number = chord.body.attempt
    run.report(Trained, "train", 0, attempt=number, member=ref("m"), train_s=1.0, loss=0.5, device="cpu")
    commands = run.report(Gathered, "gather", 0, attempt=number, model=ref("models/0/.other.safetensors"))
    (republished,) = [one for one in commands if isinstance(one, Republish) and one.task_id == task]
    assert republished.task.model.object == run.state.trigger(0).model
    assert republished.task.attempt == 2
