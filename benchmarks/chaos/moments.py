"""Faults at a moment of a question of the trigger policy: it is asked, a worker has it, or it is answered."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any, Literal

import psutil

from benchmarks.chaos.acts import on_redis, signal_one
from benchmarks.chaos.kinds import KINDS
from benchmarks.chaos.scene import LEASE_S, Scene

_LOOK_S = 0.0005  # the moment between an answer and what follows is short
_STOPPED_WITHIN_S = 1.0
_PATIENCE_S = 8 * LEASE_S
Moment = Literal["asked", "taken", "answered"]
_UNANSWERED: tuple[Moment, ...] = ("asked", "taken")


class OpenQuestion:
    """The newest question, as far as a journal that grows has told."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._read_bytes = 0
        self.moment: Moment | None = None  # None: no question is open
        self.is_last = False  # no more rows come that could be asked about

    def look(self) -> Moment | None:
        """Read what is new; a line that is being written is left for the next look."""
        if not self._journal.exists():
            return None
        with self._journal.open("rb") as journal:
            journal.seek(self._read_bytes)
            lines, _, _ = journal.read().rpartition(b"\n")
        for line in lines.splitlines():
            self._hear(json.loads(line))
        self._read_bytes += len(lines) + bool(lines)
        return self.moment

    def _hear(self, event: dict[str, Any]) -> None:
        report = event.get("report", {})
        self.is_last |= event["event"] == "stream_ended"
        if event["event"] == "observed" and (event["answered"] or event["question"]):
            self.moment = "asked" if event["question"] else None
        elif report.get("report") == "detected" and self.moment:
            self.moment = "answered"
        elif report.get("report") == "claimed" and "/detect/" in report["task_id"] and self.moment == "asked":
            self.moment = "taken"


def kill_supervisor_asked(scene: Scene, _: Random) -> bool:
    """kill -9 the supervisor while the journal has a question without its answer."""
    return _kill_supervisor_at(scene, _UNANSWERED)


def kill_supervisor_answered(scene: Scene, _: Random) -> bool:
    """kill -9 the supervisor while the journal has an answer, and not what the policy makes of it."""
    return _kill_supervisor_at(scene, ("answered",))


def kill_detecting_child(scene: Scene, random: Random) -> bool:
    """kill -9 the child of the worker that looks for an answer."""
    return _at(scene, ("taken",), lambda _: _kill_child(scene, random))


def wipe_redis_asked(scene: Scene, _: Random) -> bool:
    """FLUSHALL while the journal has a question without its answer."""
    return _at(scene, _UNANSWERED, lambda _: on_redis(scene, lambda client: client.flushall()))


def _kill_supervisor_at(scene: Scene, moments: Collection[Moment]) -> bool:
    """It is stopped first, and killed only if the moment is still there: else it goes on until the next question."""

    def act(question: OpenQuestion) -> bool:
        assert scene.supervisor is not None
        with stopped(psutil.Process(scene.supervisor.pid)) as supervisor:
            found = question.look() in moments
            if found:
                supervisor.kill()
        return found

    return _at(scene, moments, act)


def _kill_child(scene: Scene, random: Random) -> bool:
    """Only evaluate workers look for answers."""
    return signal_one(scene.children("evaluate"), random, signal.SIGKILL)


def _at(scene: Scene, moments: Collection[Moment], act: Callable[[OpenQuestion], bool]) -> bool:
    """Wait for a question at such a moment, and act. False if none came in time, or nothing could be done then."""
    question, until_s = OpenQuestion(scene.journal), time.monotonic() + _PATIENCE_S
    while KINDS[scene.kind].asks and not question.is_last and time.monotonic() < until_s:
        if scene.supervisor is None or scene.supervisor.poll() is not None:
            return False
        if question.look() in moments:
            with suppress(psutil.Error):
                if act(question):
                    return True
        time.sleep(_LOOK_S)
    return False


@contextmanager
def stopped(process: psutil.Process) -> Iterator[psutil.Process]:
    """It does nothing meanwhile, and what it was writing is written."""
    process.suspend()
    try:
        until_s = time.monotonic() + _STOPPED_WITHIN_S
        while process.status() != psutil.STATUS_STOPPED and time.monotonic() < until_s:
            time.sleep(_LOOK_S)
        yield process
    finally:
        with suppress(psutil.Error):
            process.resume()
