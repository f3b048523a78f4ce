"""How a worker process is started: the command and the environment, for the fleet and for `worker` by hand."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from shared import names
from shared.config.system import System

PROJECT = Path(__file__).resolve().parents[2]


def worker_command(role: names.Role, name: str, parent_pid: int | None = None) -> list[str]:
    """The command line of one worker."""
    command = [sys.executable, "-m", "workers", "--role", role, "--name", name]
    return command if parent_pid is None else [*command, "--parent-pid", str(parent_pid)]


def worker_environment(system: System, broker_url: str, device: str, number: int = 0) -> dict[str, str]:
    """What a worker is told beside its command line; a broker's password never stands in `ps`.

    `number`: among those that are started here, who are to have a GPU each; how many there are the workers find out.
    """
    metrics = {} if system.metrics is None else {names.METRICS_VARIABLE: system.metrics.workers}
    return {
        **python_environment([Path(system.path).parent]),
        names.BROKER_VARIABLE: broker_url,
        names.LEASE_VARIABLE: str(system.lease_s),
        names.DEVICE_VARIABLE: device,
        names.NUMBER_VARIABLE: str(number),
        **metrics,
    }


def python_environment(folders: Sequence[Path]) -> dict[str, str]:
    """The environment of a process that imports a model; `folders`: where the user's own modules lie."""
    modules = os.pathsep.join([str(PROJECT), *map(str, folders), os.environ.get("PYTHONPATH", "")])
    return {
        **os.environ,
        "PYTHONPATH": modules.rstrip(os.pathsep),
        "OMP_NUM_THREADS": "1",  # pipeline.yaml's `threads` decides for trainings; the rest must not crowd them
    }


def how_it_ended(code: int) -> str:
    """How a process ended, by what it left."""
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
