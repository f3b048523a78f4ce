"""`healthy`: whether what runs on this machine, or in this container, holds its lease; for those who restart things."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path

import redis
from rich.console import Console

from shared.config.load import load_system
from shared.errors import NotReadyError
from shared.fleet import read_fleet, why_benched
from supervisor.run.directory import RunDirectory
from supervisor.run.owner import holder_of
from supervisor.system.readiness import reach_running_broker


def run(arguments: argparse.Namespace) -> int:
    """Ask Redis for a worker's entry in the registry, or for the owner of a run. Raises NotReadyError if it is not so.

    Both are leased, so that what is there is alive.
    """
    client, _ = reach_running_broker(load_system(arguments.config))
    with client:
        told = _worker(client, arguments.role) if arguments.role is not None else _supervisor(client, arguments.run_dir)
    Console().print(told, markup=False, highlight=False, soft_wrap=True)
    return 0


def _worker(client: redis.Redis, role: str) -> str:
    """One of this role that is alive here and takes work. Raises NotReadyError."""
    here = socket.gethostname()
    found = [one for one in read_fleet(client) if one.role == role and one.host == here]
    for one in found:
        if one.state != "benched":
            return f"{one.hostname} is {one.state}"
    if found:
        raise NotReadyError(*(f"{one.hostname} {why_benched(one)}" for one in found))
    raise NotReadyError(f"no {role} worker on {here} renews its lease: none was started, or its last words tell why.")


def _supervisor(client: redis.Redis, folder: Path) -> str:
    """The supervisor of this run directory, if it is here. Raises NotReadyError."""
    run_id = RunDirectory(folder.resolve()).run_id
    if run_id is None:
        raise NotReadyError(f"no run has begun in {folder}; its supervisor may still wait for workers, or for rows.")
    holder = holder_of(client, run_id)
    if holder is None:
        raise NotReadyError(f"nobody renews the lease of run {run_id} in {folder}; go on with it with --resume.")
    if not holder.is_here or holder.is_gone:
        raise NotReadyError(f"run {run_id} in {folder} belongs to process {holder.pid} on {holder.host}, not to us.")
    return f"process {holder.pid} has run {run_id}"
