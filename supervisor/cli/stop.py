"""`stop`: have the supervisor of a run directory stop cleanly."""

from __future__ import annotations

import argparse
import os
import signal
import time

from rich.console import Console

from shared.command import COMMAND
from shared.errors import ConfigurationError, NotReadyError
from supervisor.run.directory import RunDirectory
from supervisor.run.glance import glance
from supervisor.run.lock import Holder

_LOOK_EVERY_S = 0.2


def run(arguments: argparse.Namespace) -> int:
    """Send the supervisor what Ctrl+C would; with --wait, 1 if the run failed or was killed.

    Raises ConfigurationError if there is no run that can be stopped, NotReadyError for a supervisor on another machine.
    """
    directory = RunDirectory(arguments.run_dir.resolve())
    try:
        begun = directory.holds_a_run
        holder = directory.lock.holder() if begun else directory.waiting()
        if holder is None and not begun:
            raise ConfigurationError(f"{directory.path} holds no run; `{COMMAND} runs CONFIG` lists them.")
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
        _say(f"No supervisor is working on {directory.path}; nothing to stop.")
    elif not begun:
        _say(f"Asked the supervisor that waits for rows at {directory.path} to end; no run had begun.")
    else:
        _say(f"Asked the supervisor of {directory.path} to stop; it hands back running work and records.")
    return _wait(directory, holder) if arguments.wait else 0


def _wait(directory: RunDirectory, asked: Holder | None) -> int:
    """Until the supervisor that was asked has gone; then how the run ended."""
    try:
        while asked is not None and asked in (directory.lock.holder(), directory.waiting()):
            time.sleep(_LOOK_EVERY_S)
        if not directory.holds_a_run:
            _say("No run had begun.")
            return 0
        seen = glance(directory.journal_path)
    except KeyboardInterrupt:
        _say("Waited no longer; the run goes on stopping.")
        return 1
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"the journal of {directory.path} cannot be read: {error}.") from None
    _say(f"The run {seen.status}: {seen.reason}." if seen.reason else f"The run was {seen.status}; --resume goes on.")
    return 0 if seen.status in ("finished", "stopped") else 1


def _say(sentence: str) -> None:
    Console().print(sentence, soft_wrap=True, markup=False, highlight=False)
