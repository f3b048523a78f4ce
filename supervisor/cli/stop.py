"""`stop`: have the supervisor of a run directory stop cleanly."""

from __future__ import annotations

import argparse
import os
import signal

from rich.console import Console

from shared.command import COMMAND
from shared.errors import ConfigurationError, NotReadyError
from supervisor.run.directory import RunDirectory


def run(arguments: argparse.Namespace) -> int:
    """Send the supervisor what Ctrl+C would.

    Raises ConfigurationError if there is no run that can be stopped, NotReadyError for a supervisor on another machine.
    """
    directory = RunDirectory(arguments.run_dir.resolve())
    try:
        if not directory.holds_a_run:
            raise ConfigurationError(f"{directory.path} holds no run; `{COMMAND} runs CONFIG` lists them.")
        holder = directory.lock.holder()
        if holder is not None and not holder.is_here:
            raise NotReadyError(f"the supervisor of {directory.path} is {holder}: stop it there, or send it SIGTERM.")
        if holder is not None:
            os.kill(int(holder.pid), signal.SIGTERM)
    except ProcessLookupError:
        holder = None
    except OSError as error:
        raise ConfigurationError(
            f"{directory.path} cannot be stopped: {error.strerror}; check path and user."
        ) from None
    if holder is None:
        Console().print(f"No supervisor is working on {directory.path}; nothing to stop.", soft_wrap=True)
        return 0
    sentence = f"Asked the supervisor of {directory.path} to stop; it hands back running work and records."
    Console().print(sentence, soft_wrap=True)
    return 0
