"""The disk in memory, on which a worker keeps what it works on, is full."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from children import child_of
from disks import fill, small_disk

from shared.claims import Attempt
from shared.ids import RunId, TaskId, WorkerId
from workers.process.slot import SlotFile
from workers.process.slot_troubles import SlotError

ATTEMPT = Attempt(run_id=RunId("run"), task_id=TaskId("run/0/train/0"), number=1, worker=WorkerId("w"))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small one."""
    with small_disk(tmp_path / "memory", 64 * 1024) as one:
        yield one


def test_a_child_that_was_ready_goes_on_saying_what_it_does(disk: Path) -> None:
    """What it said before makes the room."""
    child = child_of(disk)
    child.announce()
    fill(disk)
    child.announce(ATTEMPT)
    slot = child.slot.read()
    assert slot is not None
    assert slot.attempt == ATTEMPT
    child.rest()
    slot = child.slot.read()
    assert slot is not None
    assert (slot.attempt, child.slot.refusal()) == (None, None)
    assert sorted(file.name for file in disk.iterdir()) == ["filler", "slot"]


def test_a_child_that_cannot_say_what_it_does_refuses_to_work(disk: Path) -> None:
    """With the place, the host and a remedy, though not even that can be written; it is not ready then."""
    child = child_of(disk)
    fill(disk)
    with pytest.raises(SlotError, match=f"on {socket.gethostname()} .* {disk}, .*No space left.* Make room in"):
        child.announce(ATTEMPT)
    child.rest()
    assert child.slot.read() is None
    assert f"{disk}, where it keeps what it works on: No space left on device. Make room" in str(child.slot.refusal())


def test_a_device_that_fails_then_is_told_all_the_same(disk: Path) -> None:
    """It is not counted, and nothing that was counted is lost."""
    child = child_of(disk)
    child.replace_afterwards("ECC error")
    fill(disk)
    child.replace_afterwards("ECC error again")
    assert child.slot.benched() is None
    (disk / "filler").unlink()
    child.replace_afterwards("ECC error a third time")
    assert child.slot.benched() == "ECC error a third time"


def test_a_worker_without_room_does_not_start(disk: Path) -> None:
    """It says so before it loads anything, and leaves nothing."""
    fill(disk)
    with pytest.raises(SlotError, match=f"No space left on device. Make room in {disk} "):
        SlotFile.create(disk)
    assert [file.name for file in disk.iterdir()] == ["filler"]
