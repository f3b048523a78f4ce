"""What a worker is told by its environment: read once in each of its processes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import cast

import msgspec

from shared import names
from shared.ids import WorkerId
from shared.names import Role


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Who this worker is, and what for."""

    broker_url: str
    role: Role
    hostname: str  # of the node, unique in the fleet
    worker: WorkerId  # new with each start
    lease_s: float  # of its entry in the registry; that of a task is the run's
    device: str  # what it was started with: auto, cpu, cuda, cuda:0
    number: int = 0  # among the workers of its fleet on this machine, which are to have a GPU each
    slot_folder: Path  # where its two processes tell each other what they do
    metrics: str | None = None  # host:port at which others find its metrics

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> WorkerSettings:
        """What the environment says. Raises KeyError for a process that `python -m workers` did not start."""
        return cls(
            broker_url=environment[names.BROKER_VARIABLE],
            role=cast(Role, environment[names.ROLE_VARIABLE]),
            hostname=environment[names.HOSTNAME_VARIABLE],
            worker=WorkerId(environment[names.WORKER_VARIABLE]),
            lease_s=float(environment[names.LEASE_VARIABLE]),
            device=environment[names.DEVICE_VARIABLE],
            number=int(environment.get(names.NUMBER_VARIABLE, "0")),
            slot_folder=Path(environment[names.SLOT_VARIABLE]),
            metrics=environment.get(names.METRICS_AT_VARIABLE),
        )


@cache
def own_settings() -> WorkerSettings:
    """Those of the worker that this process belongs to: Celery makes some of our objects, and gives them nothing."""
    return WorkerSettings.of()
