"""`healthy` asks the leases in Redis, as the healthcheck of a container does."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable

import pytest
import redis
from registry import worker_entry
from workplace import Workplace

from shared.fleet import WorkerEntry, register
from shared.ids import RunId
from shared.names import owner_key
from supervisor.run.owner import Owner

RUN = RunId("20260101T000000Z-abcdef")


@pytest.fixture
def here(cluster: Workplace) -> Workplace:
    """A folder with a run that has begun, and the Redis it is on."""
    cluster.run_dir.mkdir()
    (cluster.run_dir / "journal.jsonl").write_text(f'{{"event":"run_started","run_id":"{RUN}"}}\n')
    return cluster


def worker(**differing: object) -> WorkerEntry:
    """A train worker of this machine."""
    return worker_entry("train-0", hostname=f"train-0@{socket.gethostname()}", **differing)


def ask(here: Workplace, *of: str) -> tuple[int, str]:
    """Exit code and sentence."""
    done: subprocess.CompletedProcess[str] = here.tell("healthy", "config.yaml", *of)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("entry", "code", "told"),
    [
        (worker, 0, "is idle"),
        (lambda: worker(state="busy"), 0, "is busy"),
        (lambda: worker(state="benched", benched="out of order"), 3, "out of order"),
        (lambda: worker(role="evaluate"), 3, "no train worker on"),
        (lambda: worker_entry("train-0", hostname="train-0@elsewhere"), 3, "no train worker on"),
    ],
    ids=["idle", "busy", "benched", "of another role", "on another machine"],
)
def test_a_worker(here: Workplace, client: redis.Redis, entry: Callable[[], WorkerEntry], code: int, told: str) -> None:
    """Is healthy while a worker of the role on this machine renews its entry, and takes work."""
    register(client, entry())
    found, said = ask(here, "--role", "train")
    assert (found, told in said) == (code, True), said


def test_a_supervisor(here: Workplace, client: redis.Redis) -> None:
    """Is healthy while it is the owner of the run in its directory; who is elsewhere, or gone, is not it."""
    assert ask(here, "--run-dir", "run")[0] == 3
    with Owner(client, RUN, 30.0):
        assert ask(here, "--run-dir", "run") == (0, f"process {os.getpid()} has run {RUN}\n")
        client.hset(owner_key(RUN), "machine", "far")
        code, said = ask(here, "--run-dir", "run")
        assert (code, "not to us" in said) == (3, True)
    (here.run_dir / "journal.jsonl").write_text("")
    code, said = ask(here, "--run-dir", "run")
    assert (code, "no run has begun" in said) == (3, True)
