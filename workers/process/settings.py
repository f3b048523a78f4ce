"""What a worker is told by its environment: read once in each of its processes."""

from __future__ import annotations

import os
from collections.abc import Mapping
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
    device: str  # what it was started with: auto, cpu, cuda:0

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
        )
