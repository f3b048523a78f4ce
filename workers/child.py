"""A worker's child process: its device, its Redis client, and what it says in its slot."""

from __future__ import annotations

import os
import signal
from functools import cache
from importlib import metadata

import redis
import torch

from shared.broker import connect
from shared.claims import Attempt, Claims
from shared.ids import WorkerId
from shared.timestamps import now_us
from workers.slot import Slot, SlotFile


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


def announce(attempt: Attempt | None = None, lease_s: float = 0.0) -> None:
    """Write into the slot what this child works on; None: it is idle and ready."""
    if attempt is None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the whole group; the supervisor decides
    on = device()
    name = torch.cuda.get_device_name(on) if on.startswith("cuda") else "cpu"
    SlotFile.inherited().write(
        Slot(
            pid=os.getpid(),
            device=on,
            device_name=name,
            versions={"torch": str(torch.__version__), "celery": metadata.version("celery")},
            attempt=attempt,
            lease_s=lease_s,
            since_us=now_us(),
        )
    )
