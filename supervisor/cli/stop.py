"""`stop`: have the supervisor of a run directory stop cleanly."""

from __future__ import annotations

import argparse
import os
import signal

from rich.console import Console

from shared.errors import ConfigurationError
from supervisor.run.directory import RunDirectory


def run(arguments: argparse.Namespace) -> int:
    """Send the supervisor what Ctrl+C would. Raises ConfigurationError if there is no run there."""
    directory = RunDirectory(arguments.run_dir.resolve())
    if not directory.holds_a_run:
        raise ConfigurationError(f"{directory.path} holds no run; `./modyn-supervisor runs CONFIG` lists them.")
    pid = directory.supervisor_pid()
    if pid is None:
        Console().print(f"No supervisor is working on {directory.path}; nothing to stop.")
        return 0
    os.kill(pid, signal.SIGTERM)
    Console().print(f"Asked the supervisor of {directory.path} to stop; it hands back running work and records.")
    return 0
