"""What a stage works with: where its own disk and store end, and somebody's code begins."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from children import child_of
from workplace import Workplace, table

from shared.claims import Attempt
from shared.config.load import load_configuration
from shared.dataset.manifest import discover, manifest_path
from shared.errors import DataError
from shared.ids import RunId, TaskId, TriggerId, WorkerId
from shared.messages.tasks import CheckTask
from supervisor.system.setup import setup_record
from workers.stages.work import Work


def test_a_manifest_that_cannot_be_read_is_no_failure_of_the_pipeline(small: Workplace) -> None:
    """It is told as what is wrong with the data, and --resume goes on from it."""
    work = work_at(small)
    manifest = Path(work.record.manifest_uri)
    manifest.unlink(missing_ok=True)
    manifest.mkdir(parents=True)
    with pytest.raises(DataError, match="dataset rows cannot be read: .*Is a directory.*--resume"):
        work.dataset()


def test_what_the_reader_of_rows_raises_stays_what_it_is(small: Workplace) -> None:
    """An OSError of whoever takes the rows is not taken for one of the dataset."""
    work = work_at(small)
    with pytest.raises(OSError, match="my own"):
        raise_while_reading(work)


def raise_while_reading(work: Work) -> None:
    """Take rows, and stumble over something else."""
    for _ in work.dataset().batches(["x0"], 0, 10):
        raise OSError("my own")


def work_at(small: Workplace) -> Work:
    """A check of the workplace's pipeline."""
    small.write()
    pq.write_table(table(10), small.folder / "data" / "part-0.parquet")
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    configuration = load_configuration(*files, experiment_mode=True)
    root = configuration.system.artifacts_root
    discover(configuration.system.datasets["rows"], root)
    assert manifest_path(root, "rows").exists()
    record = setup_record(configuration, RunId("run"), str(small.run_dir), root, serves=False)
    task = CheckTask(run_id=RunId("run"), trigger_id=TriggerId(0), setup_version=record.version)
    attempt = Attempt(run_id=RunId("run"), task_id=TaskId("run/0/check/0"), number=1, worker=WorkerId("w"))
    return Work(task=task, record=record, attempt=attempt, results=[], child=child_of(small.folder))
