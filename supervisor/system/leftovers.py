"""Removes what killed processes left on this machine: scratch folders, slots, private brokers, logs."""

from __future__ import annotations

import shutil
from pathlib import Path

import psutil
import redis

from shared.broker import connect
from shared.temporary import private_folders


def sweep() -> None:
    """Remove the folders whose process is gone. What another user owns is left."""
    for folder, pid in private_folders():
        if not psutil.pid_exists(pid) and not _serves(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _serves(folder: Path) -> bool:
    """Whether a broker answers here: another supervisor may have started one in an ended one's place."""
    socket = folder / "redis.sock"
    if not socket.exists():
        return False
    try:
        return bool(connect(f"redis+socket://{socket}").ping())
    except redis.RedisError:
        return False
