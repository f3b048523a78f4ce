"""What the kernel says of a process on this machine, and does with it."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
from functools import cache
from pathlib import Path

import psutil

_PR_SET_PDEATHSIG = 1


def is_stopped(pid: int) -> bool:
    """Whether a process is there and stands still: stopped by a signal, or held by a debugger."""
    try:
        return bool(psutil.Process(pid).status() in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP))
    except psutil.NoSuchProcess:
        return False


def started(pid: int) -> str | None:
    """When a process was started, by a clock that nobody sets where there is one; None if it has ended.

    With its pid it names a process for as long as the machine is up.
    """
    try:
        if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:  # its parent has not looked
            return None
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]  # in ticks since the boot
        except FileNotFoundError:
            return str(psutil.Process(pid).create_time())
    except (psutil.NoSuchProcess, ProcessLookupError):
        return None


@cache
def machine() -> str:
    """Names what pids count in: this machine since its boot, and of its containers this one."""
    try:
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return socket.gethostname()


def end_with_parent(parent_pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """In a new child: have the kernel end it when its parent ends, however that ends, or send it `number` (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent_pid:  # it ended before the request was made
        os._exit(1)
