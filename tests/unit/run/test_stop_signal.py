"""What signals do to a process that can be stopped cleanly, and once there is nothing left to stop."""

from __future__ import annotations

import subprocess
import sys

from workplace import PROJECT, environment

CODE = """
import os, signal
from supervisor.run.stop_signal import StopSignal

stop = StopSignal()
stop.listen()
{over}
try:
    os.kill(os.getpid(), signal.SIGINT)
    print("remembered", stop.asked_by)
except KeyboardInterrupt:
    print("interrupted", flush=True)
os.kill(os.getpid(), signal.SIGTERM)
print("lives on", flush=True)
"""


def said_by(over: str) -> tuple[str, int]:
    """What a process says that gets Ctrl+C and SIGTERM, and how it ends."""
    command = [sys.executable, "-c", CODE.format(over=over)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=PROJECT, env=environment())
    return done.stdout, done.returncode


def test_a_signal_is_remembered_while_there_is_something_to_stop() -> None:
    """The loop decides when."""
    assert said_by("") == ("remembered SIGINT\nlives on\n", 0)


def test_afterwards_it_ends_the_process_at_once() -> None:
    """As where a sweep is over, and its comparison takes long."""
    assert said_by("stop.over()") == ("interrupted\n", -15)
