"""What a glance at a journal says of a run: its triggers, what is deployed, and how its last session ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from supervisor.core.events import Unread

_TELLING = (
    b'"event":"run_started"',
    b'"event":"observed"',
    b'"report":"decided"',
    b'"event":"ended"',
    b'"event":"resumed"',
    b'"event":"not_read"',
)


class Glance(msgspec.Struct, kw_only=True):
    """A run whose journal says no end was killed, unless somebody works on it."""

    started_us: int = 0
    triggers: int = 0
    deployed: int | None = None
    status: str = "killed"
    reason: str = ""  # of the end
    unread: Unread = msgspec.field(default_factory=Unread)  # files of the dataset


def glance(journal: Path) -> Glance:
    """Read a journal without folding it. Raises OSError, and ValueError for what is none."""
    seen = Glance()
    with journal.open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n") and any(word in line for word in _TELLING):
                _note(seen, json.loads(line))
    return seen


def _note(seen: Glance, event: dict[str, Any]) -> None:
    seen.triggers += len(event.get("triggers", ())) + (event.get("everything") is not None)
    report = event.get("report", {})
    if report.get("report") == "decided":
        first = report["targets"][0]
        seen.deployed = first["trigger"] if first["run"] == report["task_id"].split("/")[0] else None
    if event["event"] == "run_started":
        seen.started_us = event["time_us"]
    if event["event"] == "ended":
        seen.status, seen.reason = event["status"], event["reason"]
    elif event["event"] == "resumed":
        seen.status, seen.reason = "killed", ""
    elif event["event"] == "not_read":
        seen.unread = msgspec.convert(event["unread"], Unread)
