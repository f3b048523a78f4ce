"""Commands are carried out in order; what belongs to the run directory is never lost behind what does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from workplace import Workplace

from shared.artifacts import ArtifactRef, ArtifactStore
from shared.broker import connect, make_app
from shared.config.load import load_configuration
from shared.ids import RunId, TriggerId, task_id
from shared.messages.tasks import CheckTask
from supervisor.core.commands import CommitTrainingSet, End, Publish
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.run.act.command_queue import CommandQueue
from supervisor.run.act.committer import Committer
from supervisor.run.broker import AWAY, Broker
from supervisor.run.directory import RunDirectory
from supervisor.run.owner import Owner
from supervisor.run.publisher import Publisher

RUN = RunId("run")
PUBLISH = Publish(
    task_id=task_id(RUN, TriggerId(0), "check", 0), task=CheckTask(run_id=RUN, trigger_id=TriggerId(0), setup_version=1)
)
END = End(status="failed", reason="it broke")


@pytest.fixture
def state(small: Workplace) -> RunState:
    """A run that has only begun."""
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    return RunState(settings=Settings.of(load_configuration(*files, experiment_mode=True).pipeline))


@pytest.fixture
def queue(small: Workplace) -> CommandQueue:
    """One whose broker is away."""
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    pipeline = load_configuration(*files, experiment_mode=True).pipeline
    url = f"redis+socket://{small.folder}/none.sock"
    client = connect(url)
    broker = Broker(client, Owner(client, RUN, 10.0), Publisher(make_app(url), client, RUN, "flights"), RUN)
    return CommandQueue(Committer(pipeline, RunDirectory(small.run_dir)), broker)


def commit_of(folder: Path, trigger: int) -> CommitTrainingSet:
    """An attempt's training set that waits for its name."""
    ref: ArtifactRef = ArtifactStore(str(folder)).write(f"training_sets/.{trigger}.1-a.parquet", b"rows")
    return CommitTrainingSet(trigger_id=TriggerId(trigger), training_set=ref)


def sets(folder: Path) -> list[str]:
    """The training sets that have their names."""
    return sorted(file.name for file in folder.glob("training_sets/[0-9]*"))


def test_what_comes_behind_a_message_waits_for_the_broker(
    queue: CommandQueue, state: RunState, small: Workplace
) -> None:
    """It stays first in line, again and again; at the end of the session commits are done all the same."""
    queue.take([commit_of(small.run_dir, 0), PUBLISH, commit_of(small.run_dir, 1)])
    for _ in range(2):
        with pytest.raises(AWAY):
            queue.carry_out(state)
        assert sets(small.run_dir) == ["0.parquet"]
        assert queue.take_sent() == []
    queue.commit(state)
    assert sets(small.run_dir) == ["0.parquet", "1.parquet"]


def test_what_comes_behind_the_end_is_committed_first(queue: CommandQueue, state: RunState, small: Workplace) -> None:
    """A trigger failed, and another one's set was reported in the same breath: it has its name when the run ends."""
    queue.take([END, commit_of(small.run_dir, 0), PUBLISH])
    assert queue.carry_out(state) == END
    assert sets(small.run_dir) == ["0.parquet"]
    assert queue.take_sent() == []


def test_a_resumed_run_does_not_end_as_the_session_before(
    queue: CommandQueue, state: RunState, small: Workplace
) -> None:
    """What ended it is tried again."""
    queue.take([END, commit_of(small.run_dir, 0)])
    queue.drop_end()
    assert queue.carry_out(state) is None
    assert sets(small.run_dir) == ["0.parquet"]
