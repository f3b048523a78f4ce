"""The picture that the live view shows."""

from __future__ import annotations

from io import StringIO

from registry import worker_entry
from rich.console import Console
from run_of_events import Run, run_started
from workplace import Workplace

from shared.config.load import load_configuration
from shared.fleet import WorkerEntry
from shared.ids import RunId, TaskId, TriggerId, WorkerId, task_id
from shared.messages.reports import Claimed, Progress
from shared.messages.tasks import GatherTask
from shared.timestamps import now_us
from supervisor.cli.live import Picture, frame
from supervisor.core.events import Observed, Reported
from supervisor.core.open_tasks import OpenTask
from supervisor.core.seen import Asked, PolicyState
from supervisor.core.settings import Settings
from supervisor.core.state import RunState

RUN = RunId("run")
TRAIN = task_id(RUN, TriggerId(3), "train")


def worker(name: str, task: TaskId | None = None) -> WorkerEntry:
    """A worker as the registry has it."""
    return worker_entry(name, device="cuda:0", device_name="GPU", state="idle" if task is None else "busy", task=task)


def shown(small: Workplace, *fleet: WorkerEntry, claimed_by: str | None = None, told: bool = False) -> str:
    """The picture as text, of a run that has one open training."""
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    pipeline = load_configuration(*files, experiment_mode=True).pipeline
    task = GatherTask(run_id=RUN, trigger_id=TriggerId(3), setup_version=1)
    owner = None if claimed_by is None else WorkerId(claimed_by)
    state = RunState(settings=Settings.of(pipeline), started=run_started(RUN))
    state = state.with_stream(observed_key=999, event_time_us=0).with_task(TRAIN, OpenTask(task=task, worker=owner))
    progress = Progress(task_id=TRAIN, attempt=1, worker=WorkerId("a"), epoch=2, epochs=5, loss=0.25, eta_s=7)
    console = Console(record=True, width=100, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(frame(Picture(state=state, rows=4000, fleet=fleet, progress={TRAIN: progress} if told else {})))
    console.file.close()
    return console.export_text()


def test_how_far_the_stream_is(small: Workplace) -> None:
    """Rows seen of all there are, and the event time there."""
    assert "1,000 of 4,000 rows  1970-01-01 00:00" in shown(small)


def test_a_training_with_its_epoch_loss_and_time_to_go(small: Workplace) -> None:
    """The worker that claimed it shows what it last reported."""
    text = shown(small, worker("a"), claimed_by="a", told=True)
    assert "train 3" in text
    assert "epoch 2 of 5, loss 0.2500, 7 s to go" in text


def test_a_worker_that_nobody_gave_work_is_idle(small: Workplace) -> None:
    """Even where the registry, which is a few seconds behind, still names its last task."""
    assert "idle" in shown(small, worker("b", TRAIN))


def test_a_worker_busy_with_another_run(small: Workplace) -> None:
    """On a shared fleet the other runs' work is told apart."""
    assert "busy with another run" in shown(small, worker("c", TaskId("other/0/train/0")))


def test_how_many_triggers_and_evaluations_are_done_and_which_one_a_worker_is_at(small: Workplace) -> None:
    """Of all that are known; of a task that does not say how far it is, what it scores."""
    run = Run(small)
    run.fire(9)
    run.select()
    run.train()
    ((task_id, _),) = [(one, task) for one, task in run.state.tasks.items() if one.endswith("/evaluate/0")]
    attempt, worker = 1, WorkerId("e")
    run.tell(Reported(time_us=0, position="1-0", report=Claimed(task_id=task_id, attempt=attempt, worker=worker)))
    text = StringIO()
    entry = worker_entry("e", "evaluate", task=task_id, since_us=now_us() - 12_300_000)
    Console(width=100, file=text).print(frame(Picture(state=run.state, rows=10, fleet=(entry,), progress={})))
    for part in ("0 of 1 triggers done · 1 models · evaluations 0 of 1", "model 0 on recent", "for 12 s"):
        assert part in text.getvalue()


def test_what_the_policy_has_asked(small: Workplace) -> None:
    """In the place of how far it is: no row is looked at before a worker has answered, and there may be none."""
    run, text = Run(small), StringIO()
    asked = Asked(key=99, timestamp_us=5, detector="drift", options={})
    run.tell(Observed(time_us=0, key=99, event_time_us=99, question=asked, policy=PolicyState()))
    picture = Picture(state=run.state, rows=500, fleet=(), progress={}, waits_for="1 of 9 rows to the next look")
    Console(width=100, file=text).print(frame(picture))
    assert "a worker to look at the rows up to key 99 for the trigger policy is waited for" in text.getvalue()
    assert "to the next look" not in text.getvalue()


def test_what_the_next_trigger_waits_for(small: Workplace) -> None:
    """Heard from the loop, shown until a trigger fires."""
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    pipeline = load_configuration(*files, experiment_mode=False).pipeline
    state = RunState(settings=Settings.of(pipeline), started=run_started(RUN, mode="production"))
    text = StringIO()
    picture = Picture(state=state, rows=9, fleet=(), progress={}, waits_for="3 of 9 rows to the next trigger")
    Console(width=100, file=text).print(frame(picture))
    assert "3 of 9 rows to the next trigger" in text.getvalue()
