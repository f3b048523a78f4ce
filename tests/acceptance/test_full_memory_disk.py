"""The disk in memory is full, as in a container whose data loaders share it: nothing is lost over it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import psutil
import pytest
import redis
from disks import fill
from left_behind import processes_of
from running import Running, await_workers
from undisturbed import assert_as_undisturbed, slow
from workplace import Workplace

from shared.fleet import read_fleet

_SMALL = 'mount -t tmpfs -o size=64k tmpfs /dev/shm && exec "$@"'
_WITH_A_SMALL_ONE = ["unshare", "--mount", "sh", "-c", _SMALL, "sh"]  # of its own; others keep theirs

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or subprocess.call([*_WITH_A_SMALL_ONE, "true"]) != 0,
    reason="this user may not mount a file system",
)


def memory_of(run: Running) -> Path:
    """The disk in memory that a command and its workers see."""
    return Path(f"/proc/{run.process.pid}/root/dev/shm")


def pipeline(workplace: Workplace) -> list[str]:
    """A run of the workplace's pipeline, with a small disk in memory."""
    workplace.write()
    files = (str(workplace.folder / "pipeline.yaml"), str(workplace.folder / "config.yaml"))
    command = workplace.command("run", *files, "--run-dir", str(workplace.run_dir), "--experiment-mode")
    return [*_WITH_A_SMALL_ONE, *command]


def test_workers_go_on_when_the_memory_disk_is_full(small: Workplace, undisturbed: Workplace) -> None:
    """None counts as lost, nothing is published again, and not a byte differs."""
    with Running(pipeline(slow(small))) as run:
        run.wait_for("… trigger 1")
        fill(memory_of(run))
        assert run.wait() == 0, run.said
    assert_as_undisturbed(small.run_dir, undisturbed)
    faults = small.summary()["faults"]
    assert (faults["republished"], faults["workers_lost"]) == (0, 0)
    assert "Traceback" not in (small.run_dir / "workers.log").read_text() + "".join(run.said)


@pytest.mark.parametrize("debug", [False, True])
def test_a_worker_that_cannot_go_on_ends_with_one_sentence(
    cluster: Workplace, client: redis.Redis, debug: bool
) -> None:
    """Celery needs room for a process in place of one that was killed: exit 1; the traceback is there under --debug."""
    config = str(cluster.folder / "config.yaml")
    command = cluster.command("worker", config, "--role", "train", "--device", "cpu", *(["--debug"] if debug else []))
    with Running([*_WITH_A_SMALL_ONE, *command]) as worker:
        await_workers(cluster, worker)
        fill(memory_of(worker))
        (child,) = (one for one in psutil.Process(worker.process.pid).children() if "--billiard-fork" in one.cmdline())
        child.kill()
        assert worker.wait() == 1
    said = "".join(worker.said)
    sentence = "error: the worker cannot go on: OSError: [Errno 28] No space left on device. It ends; "
    assert (said.count(sentence), "Traceback" in said) == ((0, True) if debug else (1, False)), said
    assert (read_fleet(client), processes_of(cluster.folder)) == ([], [])


def test_a_worker_that_starts_on_a_full_memory_disk_says_so(cluster: Workplace) -> None:
    """Exit 3, with place and remedy, and no traceback."""
    command = cluster.command("worker", str(cluster.folder / "config.yaml"), "--role", "train", "--device", "cpu")
    full = [*_WITH_A_SMALL_ONE, "sh", "-c", 'head -c 1m /dev/zero > /dev/shm/filler; exec "$@"', "sh"]
    with Running([*full, *command]) as worker:
        said = worker.wait_for("error: ")
        assert worker.wait() == 3
    assert "a worker cannot write /dev/shm" in said
    assert "No space left on device. Make room in /dev/shm " in said
    assert "Traceback" not in "".join(worker.said)
