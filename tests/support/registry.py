"""Workers as the fleet registry has them."""

from __future__ import annotations

from typing import Any

import msgspec

from shared.fleet import WorkerEntry
from shared.ids import WorkerId
from shared.names import Role


def worker_entry(name: str, role: Role = "train", **differing: Any) -> WorkerEntry:
    """An idle worker as the registry has it, but for what differs."""
    entry = WorkerEntry(
        worker=WorkerId(name),
        role=role,
        hostname=f"{name}@host",
        device="cpu",
        device_name="cpu",
        state="idle",
        task=None,
        since_us=0,
        lease_s=60.0,
        pid=1,
        versions={},
    )
    return msgspec.structs.replace(entry, **differing)
