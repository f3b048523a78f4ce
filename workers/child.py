"""A worker's child process: its device, its Redis client, and what it says in its slot."""

from __future__ import annotations

import os
import platform
import signal
import time
from functools import cache
from importlib import metadata

import redis
import torch

from shared.broker import connect
from shared.claims import Attempt, Claims
from shared.fleet import code_version
from shared.ids import WorkerId
from shared.messages import MESSAGE_VERSION, SetupRecord
from shared.timestamps import now_us
from workers.slot import Slot, SlotFile

_MARK_EVERY_S = 0.1  # well below the least `stall_after`, so that no slow batch is taken for a hang


class _Now:
    """What this child does; one task at a time."""

    attempt: Attempt | None = None
    marked_s = 0.0
    to_stop = False
    broken = False


@cache
def client() -> redis.Redis:
    """This process's connection to Redis."""
    return connect(os.environ["MODYN_BROKER_URL"])


@cache
def claims() -> Claims:
    """The claim protocol over this process's connection."""
    return Claims(client())


def worker_id() -> WorkerId:
    """The id of the worker this child belongs to."""
    return WorkerId(os.environ["MODYN_WORKER_ID"])


def device() -> str:
    """The device this worker trains on: what it was started with, or the best there is."""
    wanted = os.environ.get("MODYN_DEVICE", "auto")
    if wanted == "auto":
        return "cuda:0" if torch.cuda.is_available() else "cpu"
    return wanted


@cache
def versions() -> dict[str, str]:
    """What this worker runs; two that differ may not train the same model from the same rows."""
    return {
        "messages": str(MESSAGE_VERSION),
        "code": code_version(),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "celery": metadata.version("celery"),
    }


def announce(attempt: Attempt | None = None, record: SetupRecord | None = None) -> None:
    """Write into the slot what this child works on; None: it is idle and ready."""
    if attempt is None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the whole group; the supervisor decides
    _Now.attempt, _Now.to_stop, _Now.marked_s = attempt, False, 0.0
    on = device()
    name = torch.cuda.get_device_name(on) if on.startswith("cuda") else "cpu"
    SlotFile.inherited().write(
        Slot(
            pid=os.getpid(),
            device=on,
            device_name=name,
            versions=versions(),
            attempt=attempt,
            lease_s=record.lease_s if record else 0.0,
            stall_after_s=record.pipeline.training.stall_after_s if record else 0.0,
            since_us=now_us(),
        )
    )


def replace_afterwards(said: str | None) -> None:
    """This process can use its device no more; once its task is reported, another is to take its place.

    `said`: what the device failed with; a worker whose device fails again soon is benched. None: a model's own fault.
    """
    _Now.broken = True
    if said is not None:
        SlotFile.inherited().device_failed(said)


def leave_if_broken() -> None:
    """End this process; the worker starts another."""
    if _Now.broken:
        os._exit(1)


def should_stop() -> bool:
    """To be called wherever work goes on for long: says so to the main process, every so often.

    Whether the task is to be handed back.
    """
    now_s = time.monotonic()
    if now_s - _Now.marked_s > _MARK_EVERY_S:
        _Now.marked_s = now_s
        slot = SlotFile.inherited()
        slot.mark_progress()
        recalled = _Now.attempt is not None and slot.is_recalled(_Now.attempt)
        _Now.to_stop = recalled or slot.stop_asked
    return _Now.to_stop
