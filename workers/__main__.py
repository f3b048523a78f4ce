"""Start one worker: `python -m workers --role train --name train-0`; where and what for, the environment says."""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys
import uuid
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.util import find_spec

import redis

from shared import names
from shared.addresses import Address
from shared.broker import connect
from shared.errors import NotReadyError
from shared.exposition.server import Exposition
from shared.names import Role
from shared.processes import end_with_parent
from workers.process.celery_log import EndInOneSentence
from workers.process.diary import Diary
from workers.process.gpus import count_gpus, device_name
from workers.process.slot import SlotFile
from workers.process.terminal import Terminal, telling
from workers.process.worker_metrics import WorkerMetrics


def main() -> None:
    """Run a Celery worker for one role until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    parser.add_argument("--role", choices=names.ROLES, required=True)
    parser.add_argument("--name", required=True, help="node name, unique on this host")
    parser.add_argument("--parent-pid", type=int, help="end at once when this process does")
    parser.add_argument("--debug", action="store_true", help="show what ends it as a traceback")
    parser.add_argument("--quiet", action="store_true", help="say nothing of tasks")
    arguments = parser.parse_args()
    _refuse_without_torch()
    if arguments.parent_pid is not None:
        end_with_parent(arguments.parent_pid)
    hostname = f"{arguments.name}-{_device()}@{socket.gethostname()}"
    os.environ[names.ROLE_VARIABLE] = arguments.role
    os.environ[names.HOSTNAME_VARIABLE] = hostname
    os.environ[names.WORKER_VARIABLE] = f"{hostname}-{uuid.uuid4().hex[:12]}"
    warnings.filterwarnings("ignore", message="You're running the worker with superuser")  # containers do
    end = EndInOneSentence(arguments.debug)
    logging.getLogger("celery.worker").addFilter(end)
    by_hand = arguments.parent_pid is None
    with _slot() as slot, _metrics(hostname, slot, by_hand=by_hand):
        os.environ[names.SLOT_VARIABLE] = str(slot.folder)
        with _terminal(arguments.role, hostname, slot) if by_hand and not arguments.quiet else nullcontext():
            _work(arguments.role, hostname)
    sys.exit(end.exit_code)


def _device() -> str:
    """The device that the child will find, for the name; what it has found stands in the registry."""
    wanted, number = os.environ[names.DEVICE_VARIABLE], int(os.environ.get(names.NUMBER_VARIABLE, "0"))
    return device_name(wanted, number, 0 if wanted == "cpu" else count_gpus())


def _refuse_without_torch() -> None:
    """Where the package is installed without its extra `worker`, say so at once, and not in each child anew."""
    if find_spec("torch") is None:
        sys.stderr.write(
            f"error: PyTorch is not installed for {sys.executable}, and workers need it; install Modyn there with its "
            'extra: pip install ".[worker]".\n'
        )
        sys.exit(NotReadyError.exit_code)


@contextmanager
def _slot() -> Iterator[SlotFile]:
    """Where this worker's processes tell each other what they do; without room for it the worker ends, and says why."""
    with _told():
        slot = SlotFile.create()
    try:
        yield slot
    finally:
        slot.remove()


@contextmanager
def _metrics(hostname: str, slot: SlotFile, *, by_hand: bool) -> Iterator[None]:
    """Serve what this worker counts, if that is wanted; where it does is for the registry to tell."""
    wanted = os.environ.get(names.METRICS_VARIABLE)
    if wanted is None:
        yield
        return
    with _told():
        exposition = Exposition(Address.of(wanted), "metrics.workers")
    with exposition:
        os.environ[names.METRICS_AT_VARIABLE] = str(exposition.address.from_elsewhere())
        exposition.serve(WorkerMetrics(hostname, slot))
        if by_hand:
            sys.stderr.write(f"Its metrics are at http://{exposition.address}/metrics.\n")
        yield


@contextmanager
def _told() -> Iterator[None]:
    """End with a sentence where this machine has not what a worker needs."""
    try:
        yield
    except NotReadyError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)


def _terminal(role: Role, hostname: str, slot: SlotFile) -> AbstractContextManager[None]:
    """Of a supervisor's own workers its log tells what they do."""
    return telling(Terminal(role, hostname, slot), Diary(slot.folder))


def _work(role: Role, hostname: str) -> None:
    from workers.process.app import app  # noqa: PLC0415 - reads the environment

    app.worker_main(
        ["--quiet", "worker", "--queues", ",".join(names.queues_of(role)), "--hostname", hostname,
         "--loglevel", "WARNING", "--without-mingle", "--without-gossip", *(["--events"] if _is_watched() else [])]
    )  # fmt: skip


def _is_watched() -> bool:
    """Whether Flower is there already: of a worker that has not said what it does from its start it would miss that."""
    try:
        return bool(connect(os.environ[names.BROKER_VARIABLE]).exists(names.WATCHED_KEY))
    except redis.RedisError:  # it may come back; then Flower, which asks workers every few seconds, finds this one
        return False


if __name__ == "__main__":
    main()
