"""What must be ready before a run: what can fail late is tried early."""

from __future__ import annotations

import logging
import socket
from pathlib import Path

import psutil
import pytest
import redis
from registry import worker_entry
from workplace import Workplace

from shared.config.load import load_configuration
from shared.errors import NotReadyError
from shared.fleet import register
from shared.messages.version import MESSAGE_VERSION
from supervisor.system.platform import Platform

SPEAKS = {"messages": str(MESSAGE_VERSION)}


@pytest.fixture
def spoilt(small: Workplace, client: redis.Redis, redis_url: str) -> Workplace:
    """A workplace whose target is a file, and whose workers are elsewhere."""
    small.use_fleet(redis_url)
    (small.folder / "deployed").write_text("")
    register(client, worker_entry("t", "train", versions=SPEAKS))
    register(client, worker_entry("e", "evaluate", versions=SPEAKS))
    return small


def look(small: Workplace, *, serves: bool) -> None:
    """Find all ready, or raise what is not."""
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    configuration = load_configuration(*files, experiment_mode=True)
    with Platform(configuration, Path(small.folder / "workers.log"), serves=serves) as platform:
        platform.ready()


def test_a_target_that_cannot_be_filled_is_told_with_what_else_is_wrong(spoilt: Workplace, client: redis.Redis) -> None:
    """Before anything is trained, with the line of the file and the remedy, beside what the dataset lacks."""
    register(client, worker_entry("e", "evaluate", versions=SPEAKS, hostname=f"e@{socket.gethostname()}"))
    spoilt.config["storage"]["datasets"]["rows"]["label"] = "lable"
    with pytest.raises(NotReadyError) as caught:
        look(spoilt, serves=True)
    dataset, target = "\n".join(caught.value.problems[:-1]), caught.value.problems[-1]
    assert "no column lable" in dataset
    assert target.startswith("pipeline.yaml:")
    assert "deployment.targets.0: " in target
    assert "deployed is a file, where a folder is needed; name another folder" in target


def test_an_experiment_that_only_rehearses_asks_nothing_of_targets(spoilt: Workplace, client: redis.Redis) -> None:
    """It never touches them."""
    register(client, worker_entry("e", "evaluate", versions=SPEAKS, hostname=f"e@{socket.gethostname()}"))
    look(spoilt, serves=False)


def test_workers_of_other_machines_may_see_other_folders(spoilt: Workplace, caplog: pytest.LogCaptureFixture) -> None:
    """Where none that deploys runs here, what this machine sees is a warning."""
    with caplog.at_level(logging.WARNING):
        look(spoilt, serves=True)
    assert "no worker that deploys runs here" in caplog.text
    assert "deployed is a file" in caplog.text


def test_what_else_is_not_ready_is_told_before_rows_are_waited_for(spoilt: Workplace, client: redis.Redis) -> None:
    """A folder that is followed may stay empty for days; nobody should learn then that the target is a file."""
    register(client, worker_entry("e", "evaluate", versions=SPEAKS, hostname=f"e@{socket.gethostname()}"))
    spoilt.config["storage"]["datasets"]["rows"]["uri"] = "nowhere"
    spoilt.write()
    files = (spoilt.folder / "pipeline.yaml", spoilt.folder / "config.yaml")
    configuration = load_configuration(*files, experiment_mode=False)
    log = spoilt.folder / "workers.log"
    with (
        Platform(configuration, log, serves=True) as platform,
        pytest.raises(NotReadyError, match="deployed is a file, where a folder is needed"),
    ):
        platform.await_rows(lambda: None)


def test_a_worker_that_ends_while_it_starts_says_how_and_where_its_log_is(
    small: Workplace, client: redis.Redis, redis_url: str
) -> None:
    """Also one that had no time to say anything: the exit code or the signal, and the file, which is kept."""
    small.config |= {"broker": {"url": redis_url}, "fleet": {"train": 1, "evaluate": 0, "device": "cpu"}}
    register(client, worker_entry("e", "evaluate", versions=SPEAKS))
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    log = Path(small.folder / "workers.log")
    configuration = load_configuration(*files, experiment_mode=True)
    others = {child.pid for child in psutil.Process().children()}  # fleets that tests share
    with Platform(configuration, log) as platform:
        (worker,) = (child for child in psutil.Process().children() if child.pid not in others)
        worker.kill()
        with pytest.raises(NotReadyError) as caught:
            platform.ready()
    ended, where = caught.value.problems
    assert ended.startswith("fleet: worker train-0-")
    assert ended.endswith(
        "ended while starting (SIGKILL: most often the kernel ends it so when memory runs out): it said nothing."
    )
    assert str(log) in where
    assert log.exists()
