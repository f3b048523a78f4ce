"""The record of a run, as supervisors write it and workers keep it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from tests_support import Workplace

from shared.config.load import load_configuration
from shared.ids import RunId
from shared.messages import SetupRecord
from supervisor.system.setup import setup_record, write_setup
from workers import child, set_up

RUN = RunId("run")


@pytest.fixture
def worker(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process as a worker's child, on the test's Redis."""
    monkeypatch.setenv("MODYN_BROKER_URL", redis_url)
    child.client.cache_clear()
    yield
    set_up.tear_down(RUN)
    child.client().close()
    child.client.cache_clear()


def test_a_record_that_says_something_else_has_another_version(small: Workplace) -> None:
    """The same content has the same version, in every session; a run that was moved has another."""
    here, again, moved = (record_at(small, name) for name in ("run", "run", "moved"))
    assert here == again
    assert here.version != moved.version


@pytest.mark.usefixtures("worker")
def test_a_worker_reads_the_record_of_a_later_session(small: Workplace, client: redis.Redis) -> None:
    """It knew the run before, and was not told that it ended; a task of the earlier session gets what holds now."""
    first, later = record_at(small, "run"), record_at(small, "moved")
    write_setup(client, first)
    assert set_up.setup_record(RUN, first.version) == first
    write_setup(client, later)
    assert set_up.setup_record(RUN, first.version) == first  # its tasks are done as it knows them
    assert set_up.setup_record(RUN, later.version) == later
    assert set_up.setup_record(RUN, first.version) == later


def record_at(small: Workplace, run_dir: str) -> SetupRecord:
    """What a session says of the run that lies there."""
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    configuration = load_configuration(*files, experiment_mode=True)
    return setup_record(configuration, RUN, str(small.folder / run_dir), str(small.folder / "runs"), serves=False)
