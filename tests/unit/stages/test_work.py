"""What a stage works with: where its own disk and store end, and somebody's code begins."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest
from children import child_of
from workplace import Workplace, table

from shared.artifacts import ArtifactRef
from shared.claims import Attempt
from shared.config.load import load_configuration
from shared.dataset.discovery import discover
from shared.dataset.manifest import manifest_path, read_manifest, restore_manifest
from shared.errors import DataError
from shared.ids import RunId, TaskId, TriggerId, WorkerId
from shared.messages.tasks import (
    AnyTask,
    BaselineTask,
    CheckTask,
    DecideTask,
    DetectTask,
    EvaluateTask,
    ModelRef,
    SelectTask,
    Stretch,
    TrainTask,
)
from supervisor.system.setup import setup_record
from workers.going_on import Interrupted
from workers.process.child import Child
from workers.stages.detect import run as detect
from workers.stages.work import Work


def test_a_manifest_that_cannot_be_read_is_no_failure_of_the_pipeline(small: Workplace) -> None:
    """It is told as what is wrong with the data, and --resume goes on from it."""
    work = work_at(small)
    manifest = Path(work.record.manifest_uri)
    manifest.unlink(missing_ok=True)
    manifest.mkdir(parents=True)
    with pytest.raises(DataError, match="dataset rows cannot be read: .*Is a directory.*--resume"):
        work.dataset()


def rows_up_to(key: int) -> list[AnyTask]:
    """One task of each kind that names rows, up to this one."""
    who = {"run_id": RunId("run"), "trigger_id": TriggerId(0), "setup_version": 1}
    ref = ArtifactRef(name="x", sha256="00", size_bytes=1)
    model = ModelRef(trigger_id=TriggerId(0), object=ref)
    stretch = Stretch(window="w", slice="", first_key=0, last_key=key, after_us=None, event_time_us=None)
    before = msgspec.structs.replace(stretch, last_key=key - 1)
    select = {
        "first_key": 0,
        "previous": (),
        "labelled_key": 9,
        "trigger_timestamp_us": 0,
        "first_labelled_key": 9,
    }
    return [
        SelectTask(**who, trigger_key=key, **select),
        TrainTask(**who, member=0, training_set=ref, trigger_key=key, previous_model=None),
        EvaluateTask(**who, models=(model,), stretches=(stretch, before)),
        DecideTask(**who, candidate=model, gate=stretch, device="cpu", known={}),
        BaselineTask(**who, first_key=0, last_key=key, history=None, unknown_key=0, first_labelled_key=9),
    ]


@pytest.mark.parametrize("task", rows_up_to(1009), ids=lambda task: task.kind)
def test_a_task_gets_all_the_rows_it_names_or_none(small: Workplace, task: AnyTask) -> None:
    """A manifest that is gone, or ends before, is a matter of the dataset: --resume brings it back."""
    work = dataclasses.replace(work_at(small), task=task)
    assert work.dataset().rows == 1010
    manifest = Path(work.record.manifest_uri)
    whole = manifest.read_bytes()
    manifest.write_bytes(whole.splitlines(keepends=True)[0])
    with pytest.raises(DataError, match=f"{manifest} ends before key 10, .* up to key 1009.*--resume"):
        work.dataset()
    manifest.write_bytes(b"")
    with pytest.raises(DataError, match=f"{manifest} ends before key 0, .* up to key 1009.*--resume"):
        work.dataset()
    manifest.unlink()
    with pytest.raises(DataError, match=f"{manifest} is not there.*--resume"):
        work.dataset()


def test_a_task_does_not_read_by_a_manifest_that_is_being_restored(small: Workplace) -> None:
    """Until the files were looked at again, nobody can tell whether their rows are those that got the keys."""
    work = dataclasses.replace(work_at(small), task=rows_up_to(1009)[0])
    manifest = Path(work.record.manifest_uri)
    entries = read_manifest(manifest)
    manifest.unlink()
    restore_manifest(str(manifest.parents[1]), "rows", entries)
    with pytest.raises(DataError, match=f"{manifest} is being written back.*--resume"):
        work.dataset()


def test_a_check_makes_up_rows_where_there_are_none(small: Workplace) -> None:
    """It names no rows: of a run that is only validated, another machine's worker sees no manifest."""
    work = work_at(small)
    Path(work.record.manifest_uri).unlink()
    assert work.dataset().rows == 0


def test_what_the_reader_of_rows_raises_stays_what_it_is(small: Workplace) -> None:
    """An OSError of whoever takes the rows is not taken for one of the dataset."""
    work = work_at(small)
    with pytest.raises(OSError, match="my own"):
        raise_while_reading(work)


def raise_while_reading(work: Work) -> None:
    """Take rows, and stumble over something else."""
    for _ in work.dataset().batches(["x0"], 0, 10):
        raise OSError("my own")


def test_a_long_look_of_a_detector_hears_that_it_should_stop(small: Workplace) -> None:
    """Not only while rows are read: its process is asked with each block of pairs."""

    class Stopping(Child):
        """A child that is asked to hand back while numbers are crunched."""

        asked = 0

        def should_stop(self) -> bool:
            self.asked += 1
            return self.asked > 10

    window = [{"first_key": first, "last_key": first + 499} for first in (0, 500)]
    how = {"space": "input", "ignore": [], "pca": None, "most_rows": 1_000, "statistics": [{"name": "mmd"}]}
    task = DetectTask(
        run_id=RunId("run"), trigger_id=TriggerId(0), setup_version=1, number=0, key=999, timestamp_us=0,
        detector="drift", options={"reference": window[0], "current": window[1], **how},
    )  # fmt: skip
    work = work_at(small)
    with pytest.raises(Interrupted, match="while a question was being answered"):
        detect(dataclasses.replace(work, task=task, child=Stopping(work.child.settings)))


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
