"""The pure transition: what each event brings, and that nothing comes twice."""

from __future__ import annotations

import msgspec
import pytest
from run_of_events import RUN, Run, decision, ref
from workplace import Workplace

from shared.ids import RunId, TriggerId, task_id
from shared.messages.reports import Claimed, Decided, Evaluated, Failed, Gathered, Selected, Trained
from shared.messages.tasks import DecideTask, EvaluateTask
from supervisor.core.commands import CommitModel, CommitTrainingSet, End, Publish, PublishChord, Republish
from supervisor.core.events import Ended, Garbled, LeaseExpired, Resumed
from supervisor.core.trigger_state import Phase

SELECTED = {"training_set": ref("sets/.0.parquet"), "samples": 9, "rows_read": 10, "watermark_key": 9}


def test_a_trigger_is_selected_then_trained_in_a_chord(small: Workplace) -> None:
    """The committed training set goes before the message that names it."""
    run = Run(small)
    assert [type(command) for command in run.fire(9)] == [Publish]
    assert [type(command) for command in run.select()] == [CommitTrainingSet, PublishChord]


def test_a_training_waits_for_the_model_it_continues_from(small: Workplace) -> None:
    """With use_previous_model trainings go one after the other, each from the model before."""
    run = Run(small)
    run.fire(9, 19)
    run.select(0)
    commit, *others = run.select(1)
    assert commit == CommitTrainingSet(trigger_id=TriggerId(1), training_set=ref("sets/.0.1-w.parquet"))
    assert not any(isinstance(command, PublishChord) for command in others)
    chords = [c for c in run.train(0) if isinstance(c, PublishChord) and c.body.kind == "gather"]
    assert chords[0].headers[0][1].previous_model == ref("models/0/model.safetensors")


def test_independent_trainings_run_side_by_side(small: Workplace) -> None:
    """Fresh trainings do not wait for each other."""
    run = Run(small, use_previous_model=False)
    run.fire(9, 19)
    run.select(0)
    assert any(isinstance(command, PublishChord) for command in run.select(1))


def test_an_expired_attempt_is_published_again_once(small: Workplace) -> None:
    """A new attempt goes out in its chord; the second notice of the same attempt changes nothing."""
    run = Run(small)
    run.fire(9)
    run.select()
    expired = LeaseExpired(time_us=0, task_id=task_id(RUN, TriggerId(0), "train"), attempt=1)
    (again,) = run.tell(expired)
    assert isinstance(again, Republish)
    assert again.task.attempt == 2
    assert run.tell(expired) == []


def test_a_zombies_report_counts_for_nothing(small: Workplace) -> None:
    """After attempt 2 was published a report of attempt 1 is ignored."""
    run = Run(small)
    run.fire(9)
    run.tell(LeaseExpired(time_us=0, task_id=task_id(RUN, TriggerId(0), "select"), attempt=1))
    assert run.select() == []
    assert run.state.trigger(0).phase is Phase.SELECTING


def test_a_repeated_report_commits_nothing_twice(small: Workplace) -> None:
    """The stream may repeat itself."""
    run = Run(small)
    run.fire(9)
    run.select()
    assert any(isinstance(command, CommitModel) for command in run.train())
    assert run.train() == []


def test_decisions_are_taken_in_trigger_order(small: Workplace) -> None:
    """Model 1 is judged only after model 0 was, and against what that left deployed."""
    run = Run(small, use_previous_model=False)
    run.fire(9, 19)
    run.select(0)
    run.select(1)
    assert not [c for c in run.train(1) if isinstance(c, PublishChord)]
    run.train(0)
    run.report(Evaluated, "evaluate", 0, scores=())
    commands = run.report(Decided, "decide", 0, **decision(True, 0))
    (chord,) = [c for c in commands if isinstance(c, PublishChord)]
    assert isinstance(chord.body, DecideTask)
    assert chord.body.known == {"deployed": 1}
    assert [(header.gate, header.stretches) for _, header in chord.headers] == [(True, (chord.body.gate,))]


def test_another_runs_model_in_the_target_is_not_this_runs(small: Workplace) -> None:
    """What is deployed speaks of this run's models; what each target holds is known all the same."""
    run = Run(small)
    run.fire(9)
    run.select()
    run.train()
    run.report(Evaluated, "evaluate", 0, scores=())
    run.report(Decided, "decide", 0, **decision(False, 7, RunId("other")))
    assert (run.state.deployed, run.state.trigger(0).deployed_after) == (None, None)
    assert (run.state.targets["deployed"].run, run.state.targets["deployed"].trigger) == ("other", 7)


def test_a_decision_waits_for_its_gate_alone(small: Workplace) -> None:
    """Other windows that end at the watermark are scored beside it."""
    small.pipeline["evaluation"]["on"].append({"name": "lately", "window": {"last": "1d"}})
    run = Run(small)
    run.fire(9)
    run.select()
    commands = run.train()
    (chord,) = [c for c in commands if isinstance(c, PublishChord)]
    beside = [c.task for c in commands if isinstance(c, Publish) and isinstance(c.task, EvaluateTask)]
    assert [header.stretches[0].window for _, header in chord.headers] == ["recent"]
    assert [(task.gate, task.queue, task.stretches[0].window) for task in beside] == [(False, "evaluate", "lately")]
    assert chord.headers[0][1].queue == "gate"


@pytest.mark.parametrize(("device", "queue"), [("auto", "train"), ("cpu", "train"), ("cuda", "train.cuda")])
def test_a_training_goes_where_its_device_is(small: Workplace, device: str, queue: str) -> None:
    """Where the pipeline asks for a GPU no worker without one is given it."""
    run = Run(small, device=device)
    run.fire(9)
    (chord,) = [command for command in run.select() if isinstance(command, PublishChord)]
    assert [task.queue for _, task in chord.headers] == [queue]


def test_a_failed_training_ends_the_run_or_the_trigger(small: Workplace) -> None:
    """on_failure: stop ends the run; continue marks the trigger and goes on with the next."""
    for on_failure, ended in (("stop", True), ("continue", False)):
        run = Run(small, on_failure=on_failure)
        run.fire(9)
        run.select()
        commands = run.report(Failed, "train", sentence="no", traceback="")
        assert any(isinstance(command, End) for command in commands) is ended


def test_a_claim_is_remembered_and_changes_nothing_else(small: Workplace) -> None:
    """The state knows who works on what."""
    run = Run(small)
    run.fire(9)
    assert run.report(Claimed, "select") == []
    assert run.state.tasks[task_id(RUN, TriggerId(0), "select")].worker == "w"


def test_an_event_leaves_the_state_it_met_alone(small: Workplace) -> None:
    """The transition is pure: the old state stays as it was."""
    run = Run(small)
    before = run.state
    kept = msgspec.structs.asdict(before)
    run.fire(9)
    assert msgspec.structs.asdict(before) == kept


def test_a_committed_model_that_cannot_be_made_anew_ends_the_run(small: Workplace) -> None:
    """Others were compared with it: also under `continue` its trigger does not fail, as nobody could score then."""
    run = Run(small, on_failure="continue")
    run.fire(9, 19)
    run.select(0)
    run.train(0)
    run.tell(Ended(time_us=0, status="stopped", reason=""))
    run.tell(Resumed(time_us=0, lost_models=(TriggerId(0),)))
    attempt = run.state.tasks[task_id(RUN, TriggerId(0), "train")].task.attempt
    (end,) = run.report(Failed, "train", 0, attempt=attempt, sentence="it broke.", traceback="")
    assert end.status == "failed"
    assert end.reason.startswith("trigger 0: it broke.")
    assert "committed before and is gone" in end.reason


def test_a_header_that_is_published_again_names_the_attempt_of_its_body_that_counts(small: Workplace) -> None:
    """Else Celery would have the body done for nothing: the supervisor waits for another attempt at it."""
    run = Run(small)
    run.fire(9)
    run.select(0)
    again = [one for one in run.tell(Resumed(time_us=0)) if isinstance(one, Republish)]
    (train,) = [one for one in again if one.task.kind == "train"]
    body = run.state.tasks[task_id(RUN, TriggerId(0), "gather")]
    assert train.chord is not None
    assert train.chord.body.attempt == body.task.attempt > 1


def test_a_headers_new_attempt_makes_its_bodys_new(small: Workplace) -> None:
    """What gathered the member of a lost attempt must not count once another attempt has trained."""
    run = Run(small)
    run.fire(9)
    run.select()
    (again,) = run.tell(LeaseExpired(time_us=0, task_id=task_id(RUN, TriggerId(0), "train"), attempt=1))
    assert isinstance(again, Republish)
    assert again.chord is not None
    assert (again.task.attempt, again.chord.body.attempt) == (2, 2)
    gather = run.report(Trained, "train", attempt=2, member=ref("m2"), train_s=1.0, loss=0.5, device="cpu")
    assert [(one.task.kind, one.task.attempt, one.results) for one in gather] == [
        ("gather", 2, (msgspec.to_builtins(ref("m2")),))
    ]
    assert run.report(Gathered, "gather", attempt=1, model=ref("models/0/.old")) == []
    assert run.state.trigger(0).phase is Phase.TRAINING
    run.report(Gathered, "gather", attempt=2, model=ref("models/0/.new"))
    assert run.state.trigger(0).phase is Phase.COMMITTED


def test_a_report_that_cannot_be_read_is_a_loss(small: Workplace) -> None:
    """Its worker runs other code: Redis has the task as done, so it is published again at once, and not for ever."""
    run = Run(small, attempts=2)
    run.fire(9)
    select = task_id(RUN, TriggerId(0), "select")
    (again,) = run.tell(Garbled(time_us=0, position="7-0", task_id=select, attempt=1, why="it has no samples"))
    assert isinstance(again, Republish)
    assert (again.task.attempt, again.delay_s) == (2, 0.0)
    assert run.state.report_position == "7-0"
    assert run.tell(Garbled(time_us=0, position="8-0", task_id=select, attempt=1, why="late")) == []
    (end,) = run.tell(Garbled(time_us=0, position="9-0", task_id=select, attempt=2, why="it has no samples"))
    assert isinstance(end, End)
    assert "it has no samples" in end.reason


def test_a_broken_device_costs_an_attempt(small: Workplace) -> None:
    """Another worker is to try, a little later each time; the last failure ends it, with what the device said."""
    run = Run(small, attempts=3)
    run.fire(9)
    said = {
        "sentence": "select: The device failed: CUDA error: uncorrectable ECC error",
        "traceback": "",
        "device": True,
    }
    delays_s = []
    for attempt in (1, 2):
        (again,) = run.report(Failed, "select", attempt=attempt, **said)
        assert isinstance(again, Republish)
        delays_s.append(again.delay_s)
    (end,) = run.report(Failed, "select", attempt=3, **said)
    assert delays_s == [0.0, 1.0]
    assert isinstance(end, End)
    assert ("3 workers were lost" in end.reason, "uncorrectable ECC error" in end.reason) == (True, True), end.reason


def test_a_later_sessions_tasks_name_its_record(small: Workplace) -> None:
    """What was open is published again with the version that was written now, and what follows has it, too."""
    run = Run(small)
    run.fire(9)
    (again,) = run.tell(Resumed(time_us=0, setup_version=7))
    assert isinstance(again, Republish)
    assert again.task.setup_version == 7
    facts = {"training_set": ref("sets/.0.2-w.parquet"), "samples": 9, "rows_read": 10, "watermark_key": 9}
    commands = run.report(Selected, "select", attempt=2, **facts)
    (chord,) = [command for command in commands if isinstance(command, PublishChord)]
    assert (chord.headers[0][1].setup_version, chord.body.setup_version) == (7, 7)


def test_a_session_does_not_take_anothers_reports_for_its_own(small: Workplace) -> None:
    """A copy of the run goes on beside what workers still do for the original: the same tasks, with other rows."""
    run = Run(small)
    run.fire(9)
    run.tell(Resumed(time_us=0, attempts_above=1_000_000))
    (published,) = run.tell(LeaseExpired(time_us=0, task_id=task_id(RUN, TriggerId(0), "select"), attempt=1_000_001))
    assert published.task.attempt == 1_000_002
    run.report(Selected, "select", attempt=1_000_002, **SELECTED)
    (published,) = [command for command in run.fire(19) if isinstance(command, Publish)]
    assert (published.task.kind, published.task.attempt) == ("select", 1_000_001)
    run.report(Selected, "select", 1, attempt=1, **SELECTED)
    assert run.state.trigger(1).phase is Phase.SELECTING
    run.report(Selected, "select", 1, attempt=1_000_001, **SELECTED)
    assert run.state.trigger(1).phase is Phase.SELECTED


def test_losses_of_an_earlier_session_are_forgiven(small: Workplace) -> None:
    """Somebody may have put memory right: the run does not end with the first loss after --resume."""
    run = Run(small, attempts=2)
    run.fire(9)
    lost = {"time_us": 0, "task_id": task_id(RUN, TriggerId(0), "select")}
    run.tell(LeaseExpired(**lost, attempt=1))
    assert [type(command) for command in run.tell(LeaseExpired(**lost, attempt=2))] == [End]
    run.tell(Ended(time_us=0, status="failed", reason=""))
    run.tell(Resumed(time_us=0))
    assert [type(command) for command in run.tell(LeaseExpired(**lost, attempt=3))] == [Republish]


def test_a_later_model_of_the_same_run_was_not_deployed_then(small: Workplace) -> None:
    """The run goes on from a copy, and its target holds what the original came to: rows are not scored with that."""
    run = Run(small)
    run.fire(9, 19)
    for trigger, held in ((0, 0), (1, 6)):
        run.select(trigger)
        run.train(trigger)
        run.report(Evaluated, "evaluate", trigger, scores=())
        run.report(Decided, "decide", trigger, **decision(trigger == 0, held))
    assert [run.state.trigger(trigger).deployed_after for trigger in (0, 1)] == [0, 0]
    assert run.state.deployed == 0


def test_a_model_that_a_later_one_has_replaced_was_deployed_then(small: Workplace) -> None:
    """The journal lost its end, and the target's log knows: what was scored as deployed is what it was."""
    run = Run(small)
    run.fire(9)
    run.select()
    run.train()
    run.report(Evaluated, "evaluate", 0, scores=())
    run.report(Decided, "decide", 0, **decision(True, 6))
    assert (run.state.deployed, run.state.trigger(0).deployed_after) == (0, 0)
