"""What people read when a worker's slot cannot be written, or is gone."""

from __future__ import annotations

import socket
from pathlib import Path

from shared.errors import NotReadyError


class SlotError(NotReadyError):
    """The slot cannot be written, so the main process cannot know what its child does."""


def no_room(folder: Path, why: str) -> str:
    """The place, the host, and what to do. `why`: what the system said."""
    place = folder.parent if folder.name.startswith("modyn-") else folder
    return (
        f"on {socket.gethostname()} a worker cannot write {folder}, where it keeps what it works on: {why}. "
        f"Make room in {place} (a container gets more with --shm-size), and start the worker anew if it has ended."
    )


def removed(file: Path) -> str:
    """The file, the host, who does such things, and what to do."""
    return (
        f"on {socket.gethostname()} {file}, in which a worker keeps what it works on, was removed while it ran: a "
        f"cleaner of {file.parents[1]} does that, and so does systemd-logind when the worker's user logs out "
        "(RemoveIPC=no in logind.conf prevents it). The worker ends; start it anew."
    )
