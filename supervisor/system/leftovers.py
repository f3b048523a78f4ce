"""Removes what killed processes left on this machine: scratch folders, slots, private brokers, logs."""

from __future__ import annotations

import shutil
from pathlib import Path

import psutil

from shared.temporary import private_folders


def sweep() -> None:
    """Remove the folders whose process is gone. What another user owns, or another machine or container, is left."""
    for folder, maker in private_folders():
        if maker.is_gone and not _serves(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _serves(folder: Path) -> bool:
    """Whether a broker lives here: another supervisor may have started one in an ended one's place."""
    if not (folder / "redis.conf").exists():
        return False
    return any(str(folder) in " ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"]))
