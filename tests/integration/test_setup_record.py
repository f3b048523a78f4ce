"""The record of a run, as supervisors write it and workers keep it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from children import child_of
from workplace import Workplace

from shared.config.load import load_configuration
from shared.ids import RunId
from shared.messages.setup_record import SetupRecord
from supervisor.system.setup import setup_record, write_setup
from workers.process.set_up import Setups

RUN = RunId("run")


@pytest.fixture
def setups(redis_url: str, tmp_path: Path) -> Iterator[Setups]:
    """What this process, as a worker's child, is set up for."""
    child = child_of(tmp_path, redis_url)
    yield Setups(child)
    child.client.close()


def test_a_record_that_says_something_else_has_another_version(small: Workplace) -> None:
    """The same content has the same version, in every session; a run that was moved has another."""
    here, again, moved = (record_at(small, name) for name in ("run", "run", "moved"))
    assert here == again
    assert here.version != moved.version


def test_a_worker_reads_the_record_of_a_later_session(small: Workplace, client: redis.Redis, setups: Setups) -> None:
    """It knew the run before, and was not told that it ended; a task of the earlier session gets what holds now."""
    first, later = record_at(small, "run"), record_at(small, "moved")
    write_setup(client, first)
    assert setups.record(RUN, first.version) == first
    write_setup(client, later)
    assert setups.record(RUN, first.version) == first  # its tasks are done as it knows them
    assert setups.record(RUN, later.version) == later
    assert setups.record(RUN, first.version) == later


def record_at(small: Workplace, run_dir: str) -> SetupRecord:
    """What a session says of the run that lies there."""
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    configuration = load_configuration(*files, experiment_mode=True)
    return setup_record(configuration, RUN, str(small.folder / run_dir), str(small.folder / "runs"), serves=False)
