"""System validation: broker and workers, each failed check a sentence with its remedy (exit 3)."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Any, cast

import redis

from shared.broker import OLDEST, connect
from shared.command import COMMAND
from shared.config.load import Configuration
from shared.config.secrets import hide
from shared.config.system import System
from shared.errors import NotReadyError
from shared.fleet import WorkerEntry, read_fleet, why_benched
from supervisor.system.embedded_broker import find_broker
from supervisor.system.versions import speaks

log = logging.getLogger(__name__)

_OWN_FLEET_S = 90.0  # importing torch on a cold disk takes its time
_OTHER_FLEET_S = 30.0  # it may be starting at the same time as the supervisor
_SAY_AFTER_S = 3.0


def reach_broker(url: str, masked_url: str) -> redis.Redis:
    """A client whose broker answered. Raises NotReadyError."""
    try:
        client = connect(url)
    except ValueError:  # what it says may hold a part of the password
        raise NotReadyError(
            f"broker.url: {masked_url} is no URL of a Redis; write one such as redis://:${{PASSWORD}}@host:6379/0. "
            "In a password write @ : / # ? as %40 %3A %2F %23 %3F."
        ) from None
    try:
        client.ping()
    except redis.AuthenticationError as error:
        raise NotReadyError(
            f"broker.url: {masked_url} lets nobody in with this user and password, or without ({hide(str(error))}); "
            "write them as redis://user:${PASSWORD}@host:6379/0, with no user where Redis has one password for all."
        ) from None
    except (redis.RedisError, OSError) as error:
        raise NotReadyError(
            f"broker.url: {masked_url} does not answer ({hide(str(error))}); start Redis there, "
            "or write `url: embedded`."
        ) from None
    _refuse_old(client, masked_url)
    return client


def _refuse_old(client: redis.Redis, masked_url: str) -> None:
    try:
        version = str(cast(Any, client.info("server"))["redis_version"])
    except (redis.RedisError, KeyError):  # it may be forbidden to ask; a command that it lacks will say so itself
        return
    if [int(one) for one in re.findall(r"\d+", version)][:2] < [int(one) for one in OLDEST.split(".")]:
        raise NotReadyError(
            f"broker.url: {masked_url} is Redis {version}; version {OLDEST} or later is needed, or write "
            "`url: embedded`."
        )


def reach_running_broker(system: System) -> tuple[redis.Redis, str]:
    """A client of the broker that config.yaml names, and its URL. Raises NotReadyError; starts nothing."""
    url = system.broker.url
    if url == "embedded":
        found = find_broker(system.artifacts_root)
        if found is None:
            raise NotReadyError(
                f"broker.url: no embedded broker runs for {system.artifacts_root}; start a supervisor first, "
                "or name a Redis of your own."
            )
        url = found
    return reach_broker(url, system.broker.masked_url), url


def broker_in_words(system: System, url: str) -> str:
    """The broker as people are told of it, without a password. `url`: where it was found."""
    return f"the embedded broker at {url}" if system.broker.url == "embedded" else system.broker.masked_url


def ready_workers(
    client: redis.Redis, configuration: Configuration, starting: Callable[[], str | None], *, own: bool
) -> list[WorkerEntry]:
    """The fleet, once it is as the configuration needs it. Raises NotReadyError.

    `starting` says why a worker that the supervisor starts itself cannot come up, None while it may. `own`: there are
    such workers.
    """
    system = configuration.system
    limit_s = _OWN_FLEET_S if own else _OTHER_FLEET_S
    started_s, said = time.monotonic(), own
    while True:
        try:
            fleet = read_fleet(client)
            fit = [worker for worker in fleet if worker.state != "benched"]
            missing = _missing(fleet, system, own=own)
        except redis.RedisError as error:  # it may come back
            missing = [f"broker.url: the broker went away while workers were waited for ({hide(str(error))})."]
        if not missing:
            break
        failed = starting()
        waited_s = time.monotonic() - started_s
        if failed is not None or waited_s > limit_s:
            raise NotReadyError(*([failed] if failed else missing))
        if not said and waited_s > _SAY_AFTER_S:
            log.info("waiting up to %.0f s: %s", limit_s, missing[0])
            said = True
        time.sleep(0.05)
    if configuration.pipeline.training.device == "cuda" and not _with_cuda(fit):
        devices = ", ".join(sorted({worker.device for worker in fit if worker.role == "train"}))
        raise NotReadyError(
            f"training.device is cuda, but the train workers have {devices}; start one on a machine with a GPU, "
            "or write `device: auto`."
        )
    return fit


def _missing(fleet: list[WorkerEntry], system: System, *, own: bool) -> list[str]:
    found = []
    for role, wanted in (("train", system.fleet.train), ("evaluate", system.fleet.evaluate)):
        able = [worker for worker in fleet if worker.role == role and speaks(worker.versions)]
        alive = sum(worker.state != "benched" for worker in able)
        if alive < max(1, wanted):
            instead = "leave out --no-fleet" if wanted and not own else f"set `fleet: {{{role}: 1}}` in config.yaml"
            found.append(
                f"fleet: {alive} {role} workers are alive, {max(1, wanted)} needed; start one with "
                f"{COMMAND} worker CONFIG --role {role}, or {instead}."
            )
    found += [f"fleet: {worker.hostname} {why_benched(worker)}" for worker in fleet if found and worker.benched]
    deaf = [worker.hostname for worker in fleet if not speaks(worker.versions)]
    if found and deaf:
        found.append(
            f"fleet: {', '.join(deaf)} run code of another message version; start them from the supervisor's version."
        )
    return found


def _with_cuda(fleet: list[WorkerEntry]) -> bool:
    return any(worker.role == "train" and worker.kind_of_device == "cuda" for worker in fleet)
