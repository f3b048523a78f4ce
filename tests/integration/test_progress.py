"""How far trainings are: shown to whoever watches, and nothing that the reports that count must wait behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from children import child_of
from workplace import Workplace

from shared import names
from shared.artifacts import ArtifactRef
from shared.claims import Attempt
from shared.config.load import load_configuration
from shared.ids import RunId, TaskId, TriggerId, WorkerId
from shared.messages.message import encode
from shared.messages.reports import Claimed, Progress
from shared.messages.tasks import TrainTask
from supervisor.run.watch.reports import Reports
from supervisor.system.setup import setup_record
from workers.process.child import Child
from workers.stages.train import Shown
from workers.stages.work import Work
from workers.training import job as training

RUN = RunId("run")


@pytest.fixture
def child(redis_url: str, tmp_path: Path) -> Iterator[Child]:
    """This process as a worker's child, on the test's Redis."""
    child = child_of(tmp_path, redis_url)
    yield child
    child.client.close()


def test_trainings_tell_their_progress_seldom_and_it_is_not_kept(
    small: Workplace, client: redis.Redis, child: Child
) -> None:
    """However many batches a second: one report of a task, on a stream that is capped and expires."""
    work = work_at(small, child)
    one = Shown(work)
    for batch in range(1000):
        one(progress(batch))
    assert client.xlen(names.progress_key(RUN)) == 1
    assert not client.exists(names.reports_key(RUN))
    for _ in range(2 * names.PROGRESS_KEPT):
        Shown(work)(progress(1))
    assert names.PROGRESS_KEPT <= client.xlen(names.progress_key(RUN)) <= 1.2 * names.PROGRESS_KEPT
    assert 0 < client.pttl(names.progress_key(RUN)) <= names.PROGRESS_TTL_MS


def test_progress_is_heard_beside_the_reports_and_behind_them(client: redis.Redis) -> None:
    """Both come with one look; what was shown before a session began is not shown again; a report is heard once."""
    tell(client, 1)
    reports = Reports(client, RUN, "0")
    assert reports.next(0.0) == []
    tell(client, 2)
    claimed = Claimed(task_id=TaskId("run/0/train/0"), attempt=1, worker=WorkerId("w"))
    position = client.xadd(names.reports_key(RUN), {"report": encode(claimed)})
    client.config_resetstat()
    first, second = reports.next(0.0)
    assert client.info("commandstats")["cmdstat_xread"]["calls"] == 1
    assert (first.report, first.position) == (claimed, position)
    assert isinstance(second.report, Progress)
    assert second.report.epoch == 2
    tell(client, 3)
    assert [entry.report.epoch for entry in reports.next(1.0) if isinstance(entry.report, Progress)] == [3]
    assert reports.next(0.0) == []


def progress(batch: int) -> training.TrainingProgress:
    """What a training says after a batch."""
    return training.TrainingProgress(epoch=1, epochs=2, batch=batch, loss=0.5, samples=batch, eta_s=9.0)


def tell(client: redis.Redis, epoch: int) -> None:
    """A training has come to this epoch."""
    told = Progress(
        task_id=TaskId("run/0/train/0"), attempt=1, worker=WorkerId("w"), epoch=epoch, epochs=9, loss=0.5, eta_s=9.0
    )
    client.xadd(names.progress_key(RUN), {"report": encode(told)})


def work_at(small: Workplace, child: Child) -> Work:
    """A training of the workplace's pipeline."""
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    configuration = load_configuration(*files, experiment_mode=True)
    record = setup_record(configuration, RUN, str(small.run_dir), str(small.folder / "runs"), serves=False)
    task = TrainTask(
        run_id=RUN,
        trigger_id=TriggerId(0),
        setup_version=record.version,
        member=0,
        training_set=ArtifactRef(name="x", sha256="y", size_bytes=1),
        trigger_key=9,
        previous_model=None,
    )
    attempt = Attempt(run_id=RUN, task_id=TaskId("run/0/train/0"), number=1, worker=WorkerId("w"))
    return Work(task=task, record=record, attempt=attempt, results=[], child=child)
