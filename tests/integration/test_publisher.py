"""Publishing to a broker that breaks in the middle of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from kombu.exceptions import OperationalError
from serving import Server

from shared.broker import connect, make_app
from shared.ids import RunId, TriggerId, task_id
from shared.messages import CheckTask
from supervisor.core.commands import Publish
from supervisor.run.act.publisher import Publisher

RUN = RunId("run")
ROUNDS = 15


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A Redis of the test's own."""
    one = Server(tmp_path, remembers=False)
    yield one
    one.end()


def test_whatever_breaks_is_told_as_a_broker_that_is_away(server: Server) -> None:
    """Redis is killed and started again and again while messages go out: no other error, and the last one arrives."""
    publisher = Publisher(make_app(server.url), connect(server.url), RUN)
    enough = threading.Event()

    def break_it() -> None:
        for number in range(ROUNDS):
            server.be_away((number % 5) / 6)  # kombu tries again for half a second
        enough.set()

    breaker = threading.Thread(target=break_it)
    breaker.start()
    number, refused = 0, 0
    while not enough.is_set():
        number += 1
        try:
            publisher.publish(message(number))
        except (OperationalError, redis.RedisError):
            refused += 1
    breaker.join()
    publisher.publish(message(number + 1))
    with connect(server.url) as client:
        assert client.llen("train") > 0
    assert 0 < refused < number
    publisher.close()


def message(number: int) -> Publish:
    """One task to send."""
    task = CheckTask(run_id=RUN, trigger_id=TriggerId(0), setup_version=1)
    return Publish(task_id=task_id(RUN, TriggerId(0), "check", number), task=task)
