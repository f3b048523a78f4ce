"""What a glance at a journal says of a run: when and for how long it worked, its triggers, how its last session ended.

Of a run that goes on or was killed nothing else says so, and a summary may be that of a session before the last.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from supervisor.core.seen import Unread

_TELLING = re.compile(rb'"event":"(?:run_started|observed|ended|resumed|not_read)"|"report":"decided"')
_MODEL = b'"report":"gathered"'
_BEGINS_BYTES = 200  # what an event is stands at the beginning of its line
_SHOWN_BYTES = 60
_TIME = re.compile(rb'"time_us":(\d+)')  # an event's own comes first in its line


class Glance(msgspec.Struct, kw_only=True):
    """A run whose journal says no end was killed, unless somebody works on it."""

    started_us: int = 0
    last_us: int = 0  # the last event
    session_us: int | None = None  # when the session began that is not over; None: it is
    before_us: int = 0  # how long those before it lasted, without the time between them
    mode: str = ""
    serves: bool = False  # it deploys to its targets; a replay without --deploy only rehearses
    first_key: int = 0
    stop_key: int | None = None  # of a replay
    rows: int = 0  # from the first on that the policy has seen
    triggers: int = 0
    models: int = 0
    deployed: int | None = None
    status: str = "killed"
    reason: str = ""  # of the end
    rows_held: int = 0  # not as expected, and set aside until a trigger by hand has them
    unread: Unread = msgspec.field(default_factory=Unread)  # files of the dataset

    def worked_us(self, until_us: int | None = None) -> int:
        """How long its sessions lasted; the one that is not over up to a moment (None: up to the last event)."""
        if self.session_us is None:
            return self.before_us
        return self.before_us + max((self.last_us if until_us is None else until_us) - self.session_us, 0)


def glance(journal: Path) -> Glance:
    """Read a journal without folding it. Raises OSError, and ValueError for what is none."""
    return Glances(journal).look()


class Glances:
    """Looks at a journal again and again, each time only at what it has got since."""

    def __init__(self, journal: Path) -> None:
        self._journal, self._read_bytes = journal, 0
        self._seen = Glance()

    def look(self) -> Glance:
        """What it says by now; a line that is not whole yet is for the next time. Raises OSError, and ValueError."""
        seen, before = self._seen, b""
        with self._journal.open("rb") as lines:
            lines.seek(self._read_bytes)
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                if _TELLING.search(line, 0, _BEGINS_BYTES):
                    seen.last_us = _time_us(before, seen.last_us)
                    _take(seen, line)
                elif seen.session_us is None:  # a session that goes on with a run may hear of something first
                    seen.session_us = _time_us(line, seen.last_us)
                seen.models += _MODEL in line[:_BEGINS_BYTES]
                self._read_bytes += len(line)
                before = line
        seen.last_us = _time_us(before, seen.last_us)
        return seen


def _take(seen: Glance, line: bytes) -> None:
    """Note a line that tells something. Raises ValueError for one that is damaged, or of another version."""
    try:
        event = msgspec.json.decode(line)
        msgspec.convert(event["time_us"], int)
        _note(seen, event)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"{line[:_SHOWN_BYTES].decode(errors='replace').rstrip()} is not an event") from error


def _time_us(line: bytes, otherwise_us: int) -> int:
    found = _TIME.search(line)
    return otherwise_us if found is None else int(found[1])


def _note(seen: Glance, event: dict[str, Any]) -> None:
    seen.triggers += len(event.get("triggers", ())) + (event.get("everything") is not None)
    held = (one for one in event.get("violations", ()) if one["on_violation"] == "hold")
    seen.rows_held += sum(one["last_key"] - one["first_key"] + 1 for one in held)
    if any(one.get("request") for one in event.get("triggers", ())):
        seen.rows_held = 0
    report = event.get("report", {})
    if report.get("report") == "decided":
        first = report["targets"][0]
        seen.deployed = first["trigger"] if first["run"] == report["task_id"].split("/")[0] else None
    if event["event"] == "resumed" and seen.status == "killed":  # nothing says when the session before ended
        seen.before_us, seen.session_us = seen.worked_us(), None
    if seen.session_us is None:
        seen.session_us = event["time_us"]
    if event["event"] == "run_started":
        seen.started_us, seen.mode, seen.serves = event["time_us"], event["mode"], event.get("serves", True)
        seen.first_key, seen.stop_key = event["first_key"], event.get("stop_key")
    elif event["event"] == "observed":
        seen.rows = event["key"] + 1 - seen.first_key
    if event["event"] == "ended":
        seen.before_us, seen.session_us = seen.worked_us(event["time_us"]), None
        seen.status, seen.reason = event["status"], event["reason"]
    elif event["event"] == "resumed":
        seen.status, seen.reason = "killed", ""
    elif event["event"] == "not_read":
        seen.unread = msgspec.convert(event["unread"], Unread)
