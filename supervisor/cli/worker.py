"""`worker`: become one worker, against the broker of config.yaml."""

from __future__ import annotations

import argparse
import os
import sys
import uuid

from shared.config.load import load_system
from shared.errors import NotReadyError
from supervisor.system.embedded_broker import find_broker
from supervisor.system.worker_process import PROJECT, worker_command, worker_environment


def run(arguments: argparse.Namespace) -> int:
    """Replace this process by the worker; SIGTERM or Ctrl+C lets it hand back its task. Raises NotReadyError."""
    system = load_system(arguments.config)
    url = system.broker.url
    if url == "embedded":
        found = find_broker(system.artifacts_root)
        if found is None:
            raise NotReadyError(
                f"broker.url: no embedded broker runs for {system.artifacts_root}; start a supervisor first, "
                "or name a Redis of your own."
            )
        url = found
    os.chdir(PROJECT)
    name = f"{arguments.role}-{uuid.uuid4().hex[:6]}"
    os.execve(sys.executable, worker_command(arguments.role, name), worker_environment(system, url, arguments.device))
