"""What a worker's two processes tell each other, and which queues they are served from."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from children import child_of

from shared import names
from shared.claims import Attempt
from shared.errors import NotReadyError
from shared.ids import RunId, TaskId, WorkerId
from shared.names import Role
from shared.timestamps import MICROSECONDS_PER_S, now_us
from workers.process.gpus import device_name
from workers.process.intake import Preference
from workers.process.settings import WorkerSettings
from workers.process.slot import Slot, SlotFile

ATTEMPT = Attempt(run_id=RunId("run"), task_id=TaskId("run/0/train/0"), number=1, worker=WorkerId("w"))
ENVIRONMENT = {
    names.BROKER_VARIABLE: "redis://127.0.0.1:1",
    names.ROLE_VARIABLE: "train",
    names.HOSTNAME_VARIABLE: "train-0@here",
    names.WORKER_VARIABLE: "train-0@here-0",
    names.LEASE_VARIABLE: "7.5",
    names.DEVICE_VARIABLE: "cpu",
    names.NUMBER_VARIABLE: "3",
    names.SLOT_VARIABLE: "/dev/shm/slot",
}


def test_a_worker_is_told_by_its_environment() -> None:
    """All of it, once, with its types."""
    settings = WorkerSettings.of(ENVIRONMENT)
    assert (settings.role, settings.hostname, settings.lease_s) == ("train", "train-0@here", 7.5)
    assert (settings.number, settings.slot_folder) == (3, Path("/dev/shm/slot"))
    with pytest.raises(KeyError, match=names.BROKER_VARIABLE):
        WorkerSettings.of({})


def test_a_child_says_what_it_works_on_and_hears_that_it_should_stop(tmp_path: Path) -> None:
    """Only of the attempt that is meant; the next one begins anew."""
    child = child_of(tmp_path)
    child.announce(ATTEMPT)
    slot = child.slot.read()
    assert slot is not None
    assert (slot.attempt, slot.device) == (ATTEMPT, "cpu")
    assert not child.should_stop()
    child.announce(ATTEMPT)
    child.slot.recall(ATTEMPT)
    assert child.should_stop()
    child.announce()
    assert not child.should_stop()


def test_progress_is_seen_by_the_main_process(tmp_path: Path) -> None:
    """Whatever the child is asked, it says that it goes on."""
    child = child_of(tmp_path)
    child.announce(ATTEMPT)
    before = child.slot.progress_mark()
    assert child.should_stop() is False
    assert child.slot.progress_mark() > before


def test_a_device_that_fails_twice_benches_its_worker(tmp_path: Path) -> None:
    """Once is an accident, and a model's own fault is none."""
    child = child_of(tmp_path)
    child.replace_afterwards(None)
    child.replace_afterwards("ECC error")
    assert SlotFile(tmp_path).benched() is None
    child.replace_afterwards("ECC error again")
    assert SlotFile(tmp_path).benched() == "ECC error again"


def test_each_worker_of_a_fleet_has_a_gpu_of_its_own_while_they_last() -> None:
    """Under auto and cuda; who names one means that one, and without GPUs auto is the CPU."""
    assert [device_name("auto", number, 2) for number in range(3)] == ["cuda:0", "cuda:1", "cuda:0"]
    assert [device_name("cuda", number, 2) for number in range(3)] == ["cuda:0", "cuda:1", "cuda:0"]
    assert [device_name(wanted, 1, 2) for wanted in ("cpu", "cuda:0")] == ["cpu", "cuda:0"]
    assert [device_name(wanted, 1, 0) for wanted in ("auto", "cpu", "cuda")] == ["cpu", "cpu", "cuda"]


def test_a_child_without_its_device_says_so(tmp_path: Path) -> None:
    """With the device, the host and a remedy, and never by going on with another one."""
    with pytest.raises(NotReadyError, match=r"device cuda:99 is asked for.* on .*Start a worker on a machine with"):
        child_of(tmp_path, device="cuda:99").announce()
    SlotFile(tmp_path).refuse("no such device")
    assert SlotFile(tmp_path).refusal() == "no such device"


def served(folder: Path, role: Role, idle_s: float, device: str = "cpu", *, clock_set_by_s: float = 0.0) -> list[str]:
    """The queues that a worker asks, after it has been idle for so long."""
    settings = WorkerSettings.of(ENVIRONMENT | {names.ROLE_VARIABLE: role, names.SLOT_VARIABLE: str(folder)})
    since_us = now_us() - round((idle_s + clock_set_by_s) * MICROSECONDS_PER_S)
    since_s = time.monotonic() - idle_s
    facts = {"pid": 1, "device_name": "", "versions": {}, "attempt": None, "lease_s": 0.0, "stall_after_s": 0.0}
    SlotFile(folder).write(Slot(device=device, since_us=since_us, since_s=since_s, **facts))
    preference = Preference(settings)
    preference.update([*names.queues_of(role), "train-0@here.dq2"])
    return preference.consume(0)


def test_a_worker_serves_its_own_queue_then_short_work_then_long(tmp_path: Path) -> None:
    """As docs/operations.md says."""
    order = served(tmp_path, "evaluate", 0.0)
    assert order == ["train-0@here.dq2", "decide", "gather", "detect", "select", "gate", "evaluate"]


def test_a_train_worker_helps_with_gates_only_when_it_has_been_idle(tmp_path: Path) -> None:
    """The next training may be a second away."""
    assert served(tmp_path, "train", 0.5)[1:] == ["gather", "select", "select_by_model", "train"]
    assert served(tmp_path, "train", 5.0)[1:] == ["gather", "select", "select_by_model", "train", "gate"]


@pytest.mark.parametrize("set_by_s", [-3600.0, 3600.0], ids=["back", "forward"])
def test_a_clock_that_is_set_changes_nothing_of_who_is_idle(tmp_path: Path, set_by_s: float) -> None:
    """How long a worker has been idle does not depend on what time it is."""
    assert "gate" not in served(tmp_path, "train", 0.5, clock_set_by_s=set_by_s)
    assert "gate" in served(tmp_path, "train", 5.0, clock_set_by_s=set_by_s)


def test_what_needs_a_gpu_is_left_to_workers_that_have_one(tmp_path: Path) -> None:
    """And these take it before the rest."""
    assert "evaluate.cuda" not in served(tmp_path, "evaluate", 0.0)
    assert served(tmp_path, "evaluate", 0.0, "cuda:0")[-2:] == ["evaluate.cuda", "evaluate"]


def test_a_benched_worker_asks_for_nothing(tmp_path: Path) -> None:
    """Whatever waits."""
    SlotFile(tmp_path).device_failed("ECC")
    SlotFile(tmp_path).device_failed("ECC")
    assert served(tmp_path, "evaluate", 0.0) == []
