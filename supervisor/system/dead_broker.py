"""What stands in the way where a dead embedded broker was: a server that nobody can reach, and files that are torn."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path

import psutil

_END_S = 10.0


def clear_away(socket: Path) -> None:
    """Make place for a broker that is to serve at this socket, with what the one before wrote down if that is whole."""
    _end_server(socket)
    _forget_what_is_torn(socket.parent / "appendonlydir")


def _end_server(socket: Path) -> None:
    """End a server that lives on without its socket: it would go on writing where the next one does."""
    title = f"unixsocket:{socket}"  # servers call themselves so
    for process in psutil.process_iter(["cmdline"]):
        if title in (process.info["cmdline"] or ()):
            with suppress(psutil.Error):
                process.kill()  # what it has answered for is written
                _await_end(process)


def _await_end(process: psutil.Process) -> None:
    """One that another supervisor started stays as a zombie until that looks."""
    deadline_s = time.monotonic() + _END_S
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline_s:
        time.sleep(0.02)


def _forget_what_is_torn(written: Path) -> None:
    """Remove what was written down if a part of it is gone: no server starts with it, and a run needs none of it."""
    try:
        lines = (written / "appendonly.aof.manifest").read_text().splitlines()
        torn = not all((written / line.split()[1]).exists() for line in lines if line.startswith("file "))
    except FileNotFoundError:
        torn = True
    if torn:
        shutil.rmtree(written, ignore_errors=True)
