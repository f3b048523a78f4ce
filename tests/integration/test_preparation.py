"""What is heard of workers that set themselves up for a run, before its first event."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from registry import worker_entry
from workplace import Workplace

from shared import names
from shared.broker import make_app
from shared.config.load import load_configuration
from shared.errors import NotReadyError
from shared.fleet import register
from shared.ids import RunId, TaskId, WorkerId
from shared.messages.message import encode
from shared.messages.reports import Finding, SetUp
from supervisor.core.notices import Listener, Told
from supervisor.run.broker import Broker
from supervisor.run.owner import Owner
from supervisor.run.publisher import Publisher
from supervisor.run.start.preparation import Preparation
from supervisor.system.platform import Platform
from supervisor.system.setup import setup_record

RUN = RunId("run")
_PATIENCE_S = 20.0


class Heard(Listener):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.told: list[Told] = []

    def hear(self, told: Told) -> None:
        """Keep it."""
        self.told.append(told)


class Prepared:
    """A preparation on the test's Redis, whose workers the test speaks for."""

    def __init__(self, small: Workplace, client: redis.Redis, url: str) -> None:
        small.use_fleet(url).write()
        files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
        configuration = load_configuration(*files, experiment_mode=True)
        self.client, self.heard = client, Heard()
        self.record = setup_record(configuration, RUN, str(small.run_dir), str(small.folder), serves=False)
        self.publisher = Publisher(make_app(url), client, RUN, "flights")
        self.owner = Owner(client, RUN, 60.0)
        broker = Broker(client, self.owner, self.publisher, RUN)
        platform = Platform(configuration, Path(small.folder / "workers.log"))
        self.preparation = Preparation(platform, broker, configuration, self.record, (self.heard,))

    def answer(self, version: int, *findings: Finding) -> SetUp:
        """A worker says that it is set up for this version of the run."""
        told = SetUp(
            worker=WorkerId("t"), hostname="t@host", setup_version=version, device="cpu", versions={}, error=None,
            findings=findings,
        )  # fmt: skip
        self.client.xadd(names.reports_key(RUN), {"report": encode(told)})
        return told


@pytest.fixture
def prepared(small: Workplace, client: redis.Redis, redis_url: str) -> Iterator[Prepared]:
    """A run that is about to be set up."""
    one = Prepared(small, client, redis_url)
    with one.owner:
        yield one
    one.publisher.close()


def test_only_an_answer_to_this_setup_is_one(prepared: Prepared, client: redis.Redis) -> None:
    """What a worker said to an earlier session, whose setup was another, is taken away, and told to nobody."""
    prepared.answer(prepared.record.version - 1)
    told = []

    def answer() -> None:
        deadline_s = time.monotonic() + _PATIENCE_S
        while client.xlen(names.reports_key(RUN)) and time.monotonic() < deadline_s:
            pass
        told.append(prepared.answer(prepared.record.version))

    worker = threading.Thread(target=answer)
    worker.start()
    prepared.preparation.carry_out([worker_entry("t")], check=False)
    worker.join()
    assert prepared.heard.told == told


def test_what_a_worker_lacks_is_an_error_of_the_file(prepared: Prepared) -> None:
    """With line, host and remedy, and exit 3: the file is right, and the machine is not."""
    sentence = "on host every_third (modyn.strategies) is not installed; install the package …"
    prepared.answer(prepared.record.version, Finding(path="strategy.name", sentence=sentence, exit_code=3))
    with pytest.raises(NotReadyError, match=r"pipeline.yaml:\d+: strategy.name: on host every_third"):
        prepared.preparation.carry_out([worker_entry("t")], check=False)


def test_what_is_wrong_with_the_rows_is_told_where_the_dataset_stands(prepared: Prepared) -> None:
    """pipeline.yaml only names the dataset: line and key are those of config.yaml."""
    told = "The label at key 3 is 7, but the model knows the classes 0 to 1."
    prepared.answer(prepared.record.version, Finding(path="data.dataset", sentence=told, exit_code=3))
    with pytest.raises(NotReadyError, match=r"^config.yaml:\d+: storage.datasets.rows: The label at key 3 is 7"):
        prepared.preparation.carry_out([worker_entry("t")], check=False)


def test_a_worker_that_takes_up_others_work_is_not_waited_for(prepared: Prepared, client: redis.Redis) -> None:
    """It was idle when it was asked; it sets itself up later, which may be in hours."""
    register(client, worker_entry("t", state="busy", task=TaskId("other/0/train/0")))
    began_s = time.monotonic()
    prepared.preparation.carry_out([worker_entry("t")], check=False)
    assert time.monotonic() - began_s < _PATIENCE_S
