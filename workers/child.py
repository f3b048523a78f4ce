"""The state of a worker's child process: its device, its slot, its Redis client, the setup records it has read."""

from __future__ import annotations

import os
import signal
from functools import cache
from importlib import metadata

import msgspec
import redis
import torch

from shared import names
from shared.broker import connect
from shared.claims import Attempt, Claims
from shared.errors import NotReadyError
from shared.ids import RunId, WorkerId
from shared.messages import SetupRecord
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


_records: dict[RunId, SetupRecord] = {}


def setup_record(run_id: RunId, version: int) -> SetupRecord:
    """The run's setup record of this version, read from Redis once. Raises NotReadyError if it was torn down."""
    known = _records.get(run_id)
    if known is not None and known.version == version:
        return known
    body = client().get(names.setup_key(run_id))
    if body is None:
        raise NotReadyError(f"run {run_id} is not set up any more; it ended or Redis was wiped. Resume the run.")
    _records[run_id] = msgspec.json.decode(str(body), type=SetupRecord)
    return _records[run_id]
