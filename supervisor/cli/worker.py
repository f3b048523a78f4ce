"""`worker`: become one worker, against the broker of config.yaml."""

from __future__ import annotations

import argparse
import os
import re
import sys
import uuid

from rich.console import Console

from shared.config.load import load_system
from shared.errors import ConfigurationError
from supervisor.system.readiness import broker_in_words, reach_running_broker
from supervisor.system.worker_process import PROJECT, worker_command, worker_environment


def run(arguments: argparse.Namespace) -> int:
    """Replace this process by the worker; SIGTERM or Ctrl+C lets it hand back its task.

    Raises ConfigurationError, or NotReadyError if the broker is not there.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", arguments.device):
        raise ConfigurationError(f"--device {arguments.device} is unknown; write auto, cpu, cuda or cuda:0.")
    system = load_system(arguments.config)
    client, url = reach_running_broker(system)
    client.close()
    os.chdir(PROJECT)
    name = f"{arguments.role}-{uuid.uuid4().hex[:6]}"
    broker = broker_in_words(system, url)
    if not arguments.quiet:
        Console(stderr=True, markup=False, soft_wrap=True).print(
            f"Worker {name} takes {arguments.role} tasks from {broker}. Ctrl+C lets it hand back what it does."
        )
    options = [f"--{option}" for option in ("debug", "quiet") if getattr(arguments, option)]
    command = [*worker_command(arguments.role, name), *options]
    os.execve(sys.executable, command, worker_environment(system, url, arguments.device))
