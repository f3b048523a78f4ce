"""What every ring shares: a private Redis, and a small workplace."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from tests_support import Workplace, slow

from shared.broker import connect
from supervisor.system.embedded_broker import server_program


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A private Redis on a unix socket, for as long as the tests last."""
    with tempfile.TemporaryDirectory(prefix="modyn-test-", dir="/tmp") as folder:
        socket = f"{folder}/redis.sock"
        server = subprocess.Popen(
            [server_program(), "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert server.stdout is not None
        for line in server.stdout:
            if "eady to accept connections" in line:
                break
        yield f"redis+socket://{socket}"
        server.terminate()
        server.wait()
        server.stdout.close()


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """A client of an empty Redis."""
    one = connect(redis_url)
    one.flushall()
    yield one
    one.close()


@pytest.fixture
def small(tmp_path: Path) -> Workplace:
    """A small workplace of its own for one test."""
    return Workplace.small(tmp_path)


@pytest.fixture
def cluster(small: Workplace, client: redis.Redis, redis_url: str) -> Workplace:
    """A workplace on the test's Redis, whose supervisor starts no worker."""
    small.config |= {"broker": {"url": redis_url}, "fleet": {"train": 0, "evaluate": 0}, "lease": "2s"}
    small.write()
    return small


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A run of slow trainings to which nothing happened."""
    workplace = slow(Workplace.small(tmp_path_factory.mktemp("undisturbed")))
    done = workplace.run("--experiment-mode")
    assert done.returncode == 0, done.stderr
    return workplace
