"""What every ring shares: a private Redis, and a small workplace."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from hypothesis import HealthCheck, settings
from running import workers
from serving import private_redis
from undisturbed import slow
from workplace import Workplace

from shared.broker import connect

# Of pandas, which only these processes are to find: see requirements-frames.txt.
sys.path.append(str(Path(sys.prefix) / "frames"))

# How long an example takes says something of the machine, not of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A private Redis, for as long as the tests last; what is in it is for one test."""
    with private_redis() as url:
        yield url


@pytest.fixture(scope="session")
def fleet_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis with a worker of each role: a run that kills none of them need not wait for workers of its own."""
    place = Workplace.small(tmp_path_factory.mktemp("fleet"))
    with private_redis() as url:
        place.use_fleet(url).write()
        with workers(place, "train", "evaluate"):
            yield url


@pytest.fixture
def on_fleet(small: Workplace, fleet_url: str) -> Workplace:
    """A small workplace whose runs have the fleet that is there."""
    return small.use_fleet(fleet_url)


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
    small.use_fleet(redis_url).config["lease"] = "2s"
    small.write()
    return small


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A run of slow trainings to which nothing happened."""
    workplace = slow(Workplace.small(tmp_path_factory.mktemp("undisturbed")))
    done = workplace.run("--experiment-mode")
    assert done.returncode == 0, done.stderr
    return workplace
