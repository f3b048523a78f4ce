"""Faults around a selection of a strategy that remembers: while it selects, after set or state, before its commit."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, Literal

import psutil
import redis

from benchmarks.chaos.kinds import KINDS
from benchmarks.chaos.moments import stopped
from benchmarks.chaos.scene import LEASE_S, Scene
from shared import names
from shared.ids import RunId

_LOOK_S = 0.0005  # files follow one another in milliseconds
_PATIENCE_S = 3 * LEASE_S  # the next fault may find a selection yet
_STEP_S = 0.0001
_WAIT_MS = 50
_STILL = (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
Moment = Literal["taken", "set", "state", "reported", "committed"]
_BEFORE_REPORT: tuple[Moment, ...] = ("taken", "set", "state")


class OpenSelection:
    """How far the newest selection is, as a journal that grows and the run directory tell."""

    def __init__(self, scene: Scene) -> None:
        self._journal, self._run_dir = scene.journal, scene.run_dir
        self._read_bytes = 0
        self._attempt: str | None = None  # with which the names of what it writes begin
        self._report: dict[str, Any] | None = None  # of what was selected
        self.is_over = False  # nothing more will be selected

    def look(self) -> Moment | None:
        """Read what is new in the journal; a line that is being written is left for the next look."""
        with suppress(FileNotFoundError), self._journal.open("rb") as journal:
            journal.seek(self._read_bytes)
            lines, newline, _ = journal.read().rpartition(b"\n")
            for line in lines.splitlines():
                event = json.loads(line)
                self.is_over |= event["event"] == "ended"
                self.hear(event.get("report", {}))
            self._read_bytes += len(lines) + len(newline)
        return self.moment

    @property
    def moment(self) -> Moment | None:
        """By what was heard, and by files. None: nobody selects."""
        if self._report is not None:
            return "reported" if self._file("training_set").exists() or self.state.exists() else "committed"
        if self._attempt is None:
            return None
        if self._is_written("selection_states"):
            return "state"
        return "set" if self._is_written("training_sets") else "taken"

    @property
    def state(self) -> Path:
        """What the strategy keeps, under the name that the attempt gave it."""
        return self._file("state")

    def hear(self, report: dict[str, Any]) -> None:
        """A worker's report."""
        if report.get("report") == "claimed" and "/select/" in report["task_id"]:
            trigger_id = report["task_id"].split("/")[-3]
            self._attempt, self._report = f".{trigger_id}.{report['attempt']}-{report['worker'][-12:]}.", None
        elif report.get("report") == "selected":
            self._attempt, self._report = None, report

    def _is_written(self, folder: str) -> bool:
        return any((self._run_dir / folder).glob(f"{self._attempt}*"))

    def _file(self, what: str) -> Path:
        assert self._report is not None
        about: dict[str, str] = self._report[what] or self._report["training_set"]
        return self._run_dir / about["name"]


def kill_selecting_child(scene: Scene, _: Random) -> bool:
    """kill -9 the workers' children while one of them selects."""
    return _kill_children_at(scene, "taken")


def kill_child_after_set(scene: Scene, _: Random) -> bool:
    """kill -9 the workers' children when a training set is written, and what the strategy keeps is not."""
    return _kill_children_at(scene, "set")


def kill_child_after_state(scene: Scene, _: Random) -> bool:
    """kill -9 the workers' children when both are written, and nothing is reported."""
    return _kill_children_at(scene, "state")


def kill_supervisor_selected(scene: Scene, _: Random) -> bool:
    """kill -9 the supervisor when the journal has what was selected, and both are not committed."""
    return _kill_supervisor_at(scene, "reported", lambda _: True)


def lose_reported_state(scene: Scene, _: Random) -> bool:
    """The same; and what the strategy keeps is lost before it is committed."""

    def lose(selection: OpenSelection) -> bool:
        there = selection.state.exists()
        selection.state.unlink(missing_ok=True)
        return there

    return _kill_supervisor_at(scene, "reported", lose)


def lose_states(scene: Scene, random: Random) -> bool:
    """kill -9 the supervisor between selections, and remove what the strategy kept: all, the newest, or the oldest."""
    return _kill_supervisor_at(scene, "committed", lambda _: _some_states(scene, random, Path.unlink))


def cut_state(scene: Scene, random: Random) -> bool:
    """The same; but half of each is left."""
    return _kill_supervisor_at(scene, "committed", lambda _: _some_states(scene, random, _cut))


def _kill_children_at(scene: Scene, moment: Moment) -> bool:
    """When a claim is reported all are stopped, as any may select; then they go on by steps until that moment."""
    children, selection, reports = scene.children(), OpenSelection(scene), _Reports(scene)
    until_s = time.monotonic() + _PATIENCE_S
    while KINDS[scene.kind].remembers and time.monotonic() < until_s:
        if scene.supervisor is None or scene.supervisor.poll() is not None:
            return False
        if not children or not all(child.is_running() for child in children):
            children = scene.children()
        with suppress(psutil.Error, redis.RedisError):
            for report in reports.new():
                selection.hear(report)
            if children and selection.moment in _BEFORE_REPORT and _killed_at(moment, children, selection, reports):
                return True
    return False


def _killed_at(moment: Moment, children: list[psutil.Process], selection: OpenSelection, reports: _Reports) -> bool:
    """False if it is past before it was seen."""
    try:
        while True:
            for child in children:
                child.suspend()
            while any(child.status() not in _STILL for child in children):
                time.sleep(_STEP_S)
            for report in reports.new(wait=False):
                selection.hear(report)
            now = selection.moment
            if now == moment:
                for child in children:
                    child.kill()
                return True
            if now not in _BEFORE_REPORT or _BEFORE_REPORT.index(now) > _BEFORE_REPORT.index(moment):
                return False
            for child in children:
                child.resume()
            time.sleep(_STEP_S)
    finally:
        for child in children:
            with suppress(psutil.Error):
                child.resume()


class _Reports:
    """What workers report from now on, as Redis is told it: the journal is told later, when a selection may be over."""

    def __init__(self, scene: Scene) -> None:
        self._client = scene.client()
        self._place: dict[str, str] = {}

    def new(self, *, wait: bool = True) -> list[dict[str, Any]]:
        """Those since the last time. Raises redis.RedisError."""
        client: Any = self._client
        if client is None or not self._found(client):
            time.sleep(_LOOK_S)
            return []
        told = client.xread(self._place, block=_WAIT_MS if wait else None)
        for stream, entries in told:
            self._place[stream] = entries[-1][0]
        return [json.loads(fields["report"]) for _, entries in told for _, fields in entries if fields.get("report")]

    def _found(self, client: Any) -> bool:
        """Whether there is a stream of reports; what it holds by now is old."""
        if not self._place:
            streams = client.keys(names.reports_key(RunId("*")))
            self._place = {stream: client.xinfo_stream(stream)["last-generated-id"] for stream in streams}
        return bool(self._place)


def _kill_supervisor_at(scene: Scene, moment: Moment, then: Callable[[OpenSelection], bool]) -> bool:
    """It is stopped first, and killed only if the moment is still there; `then`: what is done to its files."""

    def act(selection: OpenSelection) -> bool:
        assert scene.supervisor is not None
        with stopped(psutil.Process(scene.supervisor.pid)) as supervisor:
            found = selection.look() == moment and then(selection)
            if found:
                supervisor.kill()
        return found

    return _at(scene, moment, act)


def _at(scene: Scene, moment: Moment, act: Callable[[OpenSelection], bool]) -> bool:
    """Wait for a selection at such a moment, and act. False if none came in time, or nothing could be done then."""
    selection, until_s = OpenSelection(scene), time.monotonic() + _PATIENCE_S
    while KINDS[scene.kind].remembers and time.monotonic() < until_s:
        if scene.supervisor is None or scene.supervisor.poll() is not None:
            return False
        now = selection.look()
        if selection.is_over:
            return False
        if now == moment:
            with suppress(psutil.Error):
                if act(selection):
                    return True
        time.sleep(_LOOK_S)
    return False


def _some_states(scene: Scene, random: Random, act: Callable[[Path], object]) -> bool:
    """Whether there were any."""
    kept = sorted((scene.run_dir / "selection_states").glob("[!.]*"))
    for file in random.choice([kept, kept[-1:], kept[:1]]):
        act(file)
    return bool(kept)


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
