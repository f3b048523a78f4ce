"""What a worker shows of the work of its child."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from children import child_of
from disks import fill, small_disk
from left_behind import slots_of
from prometheus_client import CollectorRegistry
from workplace import PROJECT, environment

from shared import names
from shared.claims import Attempt
from shared.ids import RunId, TaskId, WorkerId
from workers.process.slot import SlotFile
from workers.process.worker_metrics import WorkerMetrics

ATTEMPT = Attempt(run_id=RunId("run"), task_id=TaskId("run/0/train/0"), number=1, worker=WorkerId("w"))
AT = "127.0.0.1:1"


class Shown:
    """What the main process of a worker tells, as a scraper sees it."""

    def __init__(self, folder: Path) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(WorkerMetrics("train-0@here", SlotFile(folder)))

    def value(self, name: str, **labels: str) -> float | None:
        """One sample."""
        return self._registry.get_sample_value(name, labels)

    def info(self) -> dict[str, str]:
        """Who it says that it is."""
        return next(one.labels for family in self._registry.collect() for one in family.samples if "info" in one.name)


def test_before_its_child_is_ready_a_worker_says_so(tmp_path: Path) -> None:
    """A child imports torch for some seconds."""
    shown = Shown(tmp_path)
    assert shown.value("modyn_worker_ready") == 0
    assert shown.value("modyn_worker_trained_rows_total") == 0
    assert shown.info() == {"worker_name": "train-0@here"}


def test_what_the_child_does_is_seen_from_its_slot(tmp_path: Path) -> None:
    """Nothing is asked of the child itself, which may hold Python's lock."""
    child, shown = child_of(tmp_path, metrics=AT), Shown(tmp_path)
    child.announce(ATTEMPT)
    assert shown.value("modyn_worker_ready") == shown.value("modyn_worker_busy") == 1
    assert (shown.value("modyn_worker_task_age_seconds") or 0) > 0
    assert (shown.value("modyn_worker_child_resident_memory_bytes") or 0) > 1e6
    assert {"torch", "code", "device_name"} <= shown.info().keys()
    child.rest()
    assert shown.value("modyn_worker_busy") == shown.value("modyn_worker_task_age_seconds") == 0
    child.replace_afterwards("ECC error")
    child.replace_afterwards("ECC error")
    assert shown.value("modyn_worker_benched") == 1


def test_a_child_counts_on_where_the_one_before_it_ended(tmp_path: Path) -> None:
    """Children are replaced; what a worker has done is the work of all of them."""
    shown = Shown(tmp_path)
    for _ in range(2):
        child = child_of(tmp_path, metrics=AT)
        child.measured.learned(1000, 0.5)
        child.measured.task_ended("train", "done", 2.0)
    assert shown.value("modyn_worker_trained_rows_total") == 2000
    assert shown.value("modyn_worker_training_loss") == 0.5
    assert shown.value("modyn_worker_tasks_total", kind="train", outcome="done") == 2
    assert shown.value("modyn_worker_busy_seconds_total", kind="train") == 4.0


def test_a_training_writes_its_figures_once_a_second_at_most(tmp_path: Path) -> None:
    """However many epochs a second; the end of a task writes what is left."""
    child, file = child_of(tmp_path, metrics=AT), tmp_path / "measured"
    child.measured.learned(1, 0.5)
    first = file.stat().st_ino
    for _ in range(100):
        child.measured.learned(1, 0.5)
    assert file.stat().st_ino == first
    child.measured.task_ended("train", "done", 2.0)
    assert Shown(tmp_path).value("modyn_worker_trained_rows_total") == 101


def test_nothing_is_written_where_nobody_asks(tmp_path: Path) -> None:
    """A worker without an address for its metrics has no file of them."""
    child = child_of(tmp_path)
    child.measured.learned(1, 0.5)
    child.measured.task_ended("train", "done", 2.0)
    assert os.listdir(tmp_path) == []


def test_a_full_disk_in_memory_costs_figures_and_no_task(tmp_path: Path) -> None:
    """What was written last stays."""
    with small_disk(tmp_path / "memory", 64 * 1024) as disk:
        child = child_of(disk, metrics=AT)
        child.measured.task_ended("train", "done", 2.0)
        fill(disk)
        child.measured.task_ended("train", "done", 2.0)
        child.measured.task_ended("train", "failed", 2.0)
        assert (Shown(disk).value("modyn_worker_tasks_total", kind="train", outcome="done") or 0) >= 1
        assert {file.name for file in disk.iterdir()} == {"filler", "measured"}


@pytest.mark.parametrize("content", [b"", b"{", b"[]"])
def test_figures_that_cannot_be_read_are_none(tmp_path: Path, content: bytes) -> None:
    """Somebody may have cut the file."""
    (tmp_path / "measured").write_bytes(content)
    assert Shown(tmp_path).value("modyn_worker_trained_rows_total") == 0


@pytest.mark.parametrize("wanted", ["192.0.2.1:0", "no-such-host.invalid:0"])
def test_a_worker_that_cannot_serve_ends_with_a_sentence(wanted: str) -> None:
    """At once, as it would be looked for in vain; and it leaves nothing in memory."""
    told = {
        names.BROKER_VARIABLE: "redis+socket:///nowhere/r.sock",
        names.LEASE_VARIABLE: "15",
        names.DEVICE_VARIABLE: "cpu",
        names.METRICS_VARIABLE: wanted,
    }
    command = [sys.executable, "-m", "workers", "--role", "train", "--name", "w"]
    worker = subprocess.Popen(command, cwd=PROJECT, env=environment() | told, stderr=subprocess.PIPE, text=True)
    _, said = worker.communicate(timeout=60)
    assert worker.returncode == 3
    assert re.fullmatch(rf"error: metrics.workers: {wanted} cannot be listened on \(.*\); name an address .*\n", said)
    assert not slots_of(worker.pid)
