"""What the kernel says of a process on this machine."""

from __future__ import annotations

import psutil


def is_stopped(pid: int) -> bool:
    """Whether a process is there and stands still: stopped by a signal, or held by a debugger."""
    try:
        return bool(psutil.Process(pid).status() in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP))
    except psutil.NoSuchProcess:
        return False
