"""This process as a worker's child, without the worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shared.ids import WorkerId
from workers.process.child import Child
from workers.process.settings import WorkerSettings


def child_of(folder: Path, broker_url: str = "redis://127.0.0.1:1", **differing: Any) -> Child:
    """A child whose slot lies in a folder; its broker is asked only where the test needs one."""
    known = {"role": "train", "hostname": "w@here", "worker": WorkerId("w@here-0123456789ab"), "lease_s": 10.0}
    known |= {"broker_url": broker_url, "device": "cpu", "slot_folder": folder}
    return Child(WorkerSettings(**{**known, **differing}))
