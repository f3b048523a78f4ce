"""A worker's child that was stopped for three leases, and goes on when its work was done elsewhere, changes nothing."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis
from running import Running, workers
from serving import private_redis
from undisturbed import SLOW_LEASE_S, slow
from workplace import Workplace

from shared.broker import connect
from shared.fleet import WorkerEntry, read_fleet

_LOOK_EVERY_S = 0.02


@pytest.fixture(scope="module")
def fleet_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis with two train workers and one that evaluates, for all tests here: what is done to them is undone."""
    place = slow(Workplace.small(tmp_path_factory.mktemp("fleet")))
    with private_redis() as url:
        place.use_fleet(url).write()
        with workers(place, "train", "train", "evaluate"):
            yield url


@pytest.fixture
def client(fleet_url: str) -> Iterator[redis.Redis]:
    """A client of it."""
    with connect(fleet_url) as one:
        yield one


def worker_with(client: redis.Redis, task: str) -> WorkerEntry:
    """The worker that has a task, once the registry says so."""
    while True:
        for worker in read_fleet(client):
            if worker.task is not None and worker.task.endswith(task):
                return worker


def child_of(pid: int) -> psutil.Process:
    """The pool child that does a worker's tasks."""
    return next(child for child in psutil.Process(pid).children() if "--billiard-fork" in child.cmdline())


def named(workplace: Workplace) -> dict[str, bytes]:
    """All that a run made and what is deployed, but for what no journal names: hidden files, and checkpoints."""
    files = workplace.run_dir.rglob("*")
    shown = [
        file for file in files if file.is_file() and not file.name.startswith(".") and "checkpoints" not in file.parts
    ]
    return {str(file.relative_to(workplace.folder)): file.read_bytes() for file in shown}


@pytest.mark.parametrize("wiped", [False, True], ids=["", "and Redis is wiped"])
def test_a_stopped_child_goes_on_after_the_end(
    on_fleet: Workplace, undisturbed: Workplace, client: redis.Redis, wiped: bool
) -> None:
    """Stopped in mid-training; its work is done by another worker, and the run is over when it wakes."""
    with Running.pipeline(slow(on_fleet), "--experiment-mode") as run:
        run.wait_for("… trigger 1")
        stopped = worker_with(client, "/1/train/0")
        stopped_s = time.monotonic()
        os.kill(child_of(stopped.pid).pid, signal.SIGSTOP)
        if wiped:
            client.flushall()
        assert run.wait() == 0, "".join(run.said)
    said = "Redis had forgotten the run" if wiped else "trigger 1: train is published again"
    assert said in "".join(run.said)
    left = named(on_fleet)
    time.sleep(max(0.0, stopped_s + 3 * SLOW_LEASE_S - time.monotonic()))
    os.kill(child_of(stopped.pid).pid, signal.SIGCONT)
    while not any(one.worker == stopped.worker and one.state == "idle" for one in read_fleet(client)):
        time.sleep(_LOOK_EVERY_S)  # it goes on, and learns that its attempt is nobody's any more
    assert named(on_fleet) == left
    assert_same_results(on_fleet, undisturbed)


def test_a_stopped_child_goes_on_in_the_middle(
    on_fleet: Workplace, undisturbed: Workplace, client: redis.Redis
) -> None:
    """It wakes when its training's model is committed and the run goes on; then it does other work as before."""
    with Running.pipeline(slow(on_fleet), "--experiment-mode") as run:
        run.wait_for("… trigger 1")
        busy = child_of(worker_with(client, "/1/train/0").pid)
        os.kill(busy.pid, signal.SIGSTOP)
        run.wait_for("trigger 1: train is published again")
        run.wait_for("model 1 committed")
        os.kill(busy.pid, signal.SIGCONT)
        assert run.wait() == 0
    assert_same_results(on_fleet, undisturbed)


def assert_same_results(workplace: Workplace, undisturbed: Workplace) -> None:
    """The same sets, weights and scores, to the byte, and the same model deployed."""
    made, expected = (
        {name: body for name, body in named(one).items() if _counts(name)} for one in (workplace, undisturbed)
    )
    assert made == expected
    assert workplace.summary()["deployed"] == undisturbed.summary()["deployed"]


def _counts(name: str) -> bool:
    """Whether a file is the same in every run, whoever did the work and when."""
    return Path(name).suffix in (".parquet", ".safetensors", ".csv") and "deployed" not in Path(name).parts
