"""A broker that answers with an error: what passes is waited out, and a mistake is told and let go of."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis
from running import workers
from workplace import Workplace

from shared import names
from shared.broker import make_app, will_pass
from shared.config.load import load_configuration
from shared.errors import RunFailedError
from shared.ids import RunId, TriggerId, task_id
from shared.messages.reports import Claimed
from shared.messages.tasks import SelectTask
from supervisor.core.commands import Publish
from supervisor.run.broker import Broker
from supervisor.run.owner import Owner
from supervisor.run.publisher import Publisher
from supervisor.run.watch.reports import Reports
from supervisor.system.setup import setup_record, write_setup

RUN = RunId("run")


def test_what_passes_is_told_from_what_does_not(client: redis.Redis, redis_url: str) -> None:
    """A full Redis is full for commands and scripts alike, and for a while; a wrong key or script is so for ever."""
    broker = Broker(client, Owner(client, RUN, 10.0), Publisher(make_app(redis_url), client, RUN, "flights"), RUN)
    client.set("text", "no hash")
    script = "return redis.call('SET', KEYS[1], 'x')"
    client.config_set("maxmemory", 1)
    full = [error_of(lambda: client.set("k", "x")), error_of(lambda: client.eval(script, 1, "k"))]
    client.config_set("maxmemory", 0)
    client.config_set("min-replicas-to-write", 1)
    alone = error_of(lambda: client.set("k", "x"))
    client.config_set("min-replicas-to-write", 0)
    wrong = [
        error_of(lambda: client.hset("text", "field", "x")),
        error_of(lambda: client.eval("return redis.call('HSET', KEYS[1], 'f', 'x')", 1, "text")),
        error_of(lambda: client.eval("return nil + 1", 0)),
        error_of(lambda: client.eval("this is no Lua", 0)),
    ]
    assert [will_pass(error) for error in (*full, alone)] == [True, True, True]
    assert [will_pass(error) for error in wrong] == [False, False, False, False]
    for error in wrong:
        with pytest.raises(RunFailedError, match="Redis refuses what a run asks of it"):
            broker.lost(error)
    assert not broker.is_away


def test_a_task_that_the_broker_refuses_is_let_go_of(cluster: Workplace, client: redis.Redis) -> None:
    """The worker says why, once, and is free for the next; the task is done when it is published again."""
    files = (cluster.folder / "pipeline.yaml", cluster.folder / "config.yaml")
    configuration = load_configuration(*files, experiment_mode=True)
    record = setup_record(configuration, RUN, str(cluster.run_dir), str(cluster.folder / "runs"), serves=False)
    write_setup(client, record)
    command = select(record.version)
    client.set(names.claim_key(command.task_id), "no claim at all")
    publisher = Publisher(make_app(broker_of(cluster)), client, RUN, "flights")
    reports = Reports(client, RUN, "0")
    with workers(cluster, "evaluate") as (worker,):
        publisher.publish(command)
        assert "WRONGTYPE" in worker.wait_for("let go of")
        client.delete(names.claim_key(command.task_id))
        publisher.publish(command)
        heard = reports.next(4.0)
        while not any(isinstance(entry.report, Claimed) for entry in heard):
            heard = reports.next(4.0)
        assert sum("let go of" in line for line in worker.said) == 1
    publisher.close()


def broker_of(cluster: Workplace) -> str:
    """The address of the workplace's broker."""
    return str(cluster.config["broker"]["url"])


def select(version: int) -> Publish:
    """A task for a worker."""
    task = SelectTask(
        run_id=RUN,
        trigger_id=TriggerId(0),
        setup_version=version,
        first_key=0,
        previous=(),
        labelled_key=499,
        trigger_key=499,
        trigger_timestamp_us=0,
        first_labelled_key=499,
    )
    return Publish(task_id=task_id(RUN, TriggerId(0), "select", 0), task=task)


def error_of(act: Callable[[], object]) -> redis.RedisError:
    """What Redis answers."""
    try:
        act()
    except redis.RedisError as error:
        return error
    raise AssertionError("Redis did what was asked")
