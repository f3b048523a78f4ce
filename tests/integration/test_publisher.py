"""Publishing to a broker that breaks in the middle of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from kombu.exceptions import OperationalError
from serving import Server

from shared import names
from shared.artifacts import ArtifactRef
from shared.broker import connect, make_app
from shared.ids import RunId, TriggerId, task_id
from shared.messages.tasks import CheckTask, GatherTask, TrainTask
from supervisor.core.commands import Publish, PublishChord, Republish
from supervisor.run.publisher import Publisher

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
    publisher = Publisher(make_app(server.url), connect(server.url), RUN, "flights")
    enough, arrived = threading.Event(), threading.Event()

    def break_it() -> None:
        for number in range(ROUNDS):
            server.be_away((number % 5) / 6)  # kombu tries again for half a second
            arrived.clear()
            arrived.wait(60.0)  # so that it is killed while messages go out
        enough.set()

    breaker = threading.Thread(target=break_it)
    breaker.start()
    number, refused = 0, 0
    while not enough.is_set():
        number += 1
        try:
            publisher.publish(message(number))
            arrived.set()
        except (OperationalError, redis.RedisError):
            refused += 1
    breaker.join()
    publisher.publish(message(number + 1))
    with connect(server.url) as client:
        assert client.llen(names.queue("train")) > 0
    assert 0 < refused < number
    publisher.close()


def test_what_a_header_returned_goes_to_the_body_that_counts_and_no_other(client: redis.Redis, redis_url: str) -> None:
    """Celery keeps the first result of a header: each attempt at the body has a place of its own for these."""
    publisher = Publisher(make_app(redis_url), client, RUN, "flights")
    first = chord(1)
    publisher.publish_chord(first)
    again = chord(2)
    (task_id, task), *_ = again.headers
    publisher.republish(Republish(task_id=task_id, task=task, chord=again))
    groups = {header(client)["group"] for _ in range(2)}
    assert len(groups) == 2
    for group in groups:
        assert client.get(f"celery-taskset-meta-{group}.s") == "1"
    publisher.close()


@pytest.mark.parametrize("watched", [True, False])
def test_that_a_task_is_sent_is_told_while_somebody_looks(client: redis.Redis, redis_url: str, watched: bool) -> None:
    """Else nothing is said, which would take a fifth of the time; the message has one name for either."""
    if watched:
        client.set(names.WATCHED_KEY, "", ex=names.WATCHED_TTL_S)
    publisher = Publisher(make_app(redis_url), client, RUN, "flights")
    with client.pubsub() as told:
        told.psubscribe("*celeryev*", "end")
        publisher.publish(message(7))
        client.publish("end", "")
        heard = next(one for one in told.listen() if one["type"] == "pmessage")
    sent = json.loads(str(client.rpop(names.queue("train"))))["headers"]
    assert (sent["task"], sent["shadow"]) == ("modyn.check", None)
    assert heard["channel"] == ("/0.celeryev/task.sent" if watched else "end")
    publisher.close()


def chord(attempt: int) -> PublishChord:
    """A training of one member, and what makes a model of it, at an attempt."""
    who = {"run_id": RUN, "trigger_id": TriggerId(0), "setup_version": 1, "attempt": attempt}
    train = TrainTask(
        **who,
        member=0,
        training_set=ArtifactRef(name="x", sha256="y", size_bytes=1),
        trigger_key=9,
        previous_model=None,
    )
    headers = ((task_id(RUN, TriggerId(0), "train", 0), train),)
    return PublishChord(headers=headers, body_id=task_id(RUN, TriggerId(0), "gather"), body=GatherTask(**who))


def header(client: redis.Redis) -> dict[str, Any]:
    """Take a message off its queue, and say what its envelope has."""
    told: dict[str, Any] = json.loads(str(client.rpop(names.queue("train"))))["headers"]
    return told


def message(number: int) -> Publish:
    """One task to send."""
    task = CheckTask(run_id=RUN, trigger_id=TriggerId(0), setup_version=1)
    return Publish(task_id=task_id(RUN, TriggerId(0), "check", number), task=task)
