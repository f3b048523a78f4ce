"""The live view on a terminal: how far the stream is, what each worker does, what is deployed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import TracebackType

import msgspec
import redis
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from shared.fleet import WorkerEntry, read_fleet
from shared.ids import TaskId, parts_of
from shared.messages.reports import Progress
from shared.timestamps import format_timestamp, now_us, to_the_minute
from supervisor.cli.task_words import in_words
from supervisor.core.notices import Listener, Told, TriggerFired, Waits
from supervisor.core.outlook import open_question, outlook
from supervisor.core.state import RunState

_SHOW_EVERY_S = 0.25
_READ_FLEET_EVERY_S = 1.0


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """All that one picture shows."""

    state: RunState
    rows: int
    fleet: Sequence[WorkerEntry]
    progress: Mapping[TaskId, Progress]
    waits_for: str = ""


class LiveView(Listener):
    """Keeps the picture at the foot of the terminal; log lines pass above it. A context."""

    def __init__(self, console: Console, client: redis.Redis) -> None:
        self._live = Live(console=console, refresh_per_second=4, transient=True)
        self._client = client
        self._fleet: list[WorkerEntry] = []
        self._progress: dict[TaskId, Progress] = {}
        self._waits_for = ""
        self._read_s = self._shown_s = 0.0

    def __enter__(self) -> LiveView:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._live.stop()

    def hear(self, told: Told) -> None:
        """Remember how far a training is, and how far it is to the next trigger."""
        if isinstance(told, Progress):
            self._progress[told.task_id] = told
        elif isinstance(told, Waits | TriggerFired):
            self._waits_for = told.sentence if isinstance(told, Waits) else ""

    def turn(self, state: RunState, rows: int) -> None:
        """Show the run as it is now, four times a second; the registry is read once a second."""
        if time.monotonic() < self._shown_s + _SHOW_EVERY_S:
            return
        self._shown_s = time.monotonic()
        self._read_fleet()
        self._progress = {task: one for task, one in self._progress.items() if task in state.tasks}
        picture = Picture(state=state, rows=rows, fleet=self._fleet, progress=self._progress, waits_for=self._waits_for)
        self._live.update(frame(picture))

    def _read_fleet(self) -> None:
        if time.monotonic() < self._read_s + _READ_FLEET_EVERY_S:
            return
        self._read_s = time.monotonic()
        try:
            self._fleet = read_fleet(self._client)
        except redis.RedisError:
            self._fleet = []  # the log says that the broker is away


def frame(picture: Picture) -> RenderableType:
    """The picture."""
    waits_for = open_question(picture.state) or picture.waits_for
    return Group(_stream(picture), *([Text(waits_for)] if waits_for else []), _counts(picture.state), _workers(picture))


def _stream(picture: Picture) -> RenderableType:
    state = picture.state
    first, stop, newest_us = state.started.first_key, state.started.stop_key, state.stream.event_time_us
    end = picture.rows if stop is None else min(stop, picture.rows)
    total, seen = max(end - first, 0), max(state.stream.observed_key + 1 - first, 0)
    line = Table.grid(padding=(0, 2))
    moment = "" if newest_us is None else to_the_minute(format_timestamp(newest_us))
    line.add_row(ProgressBar(total=max(total, 1), completed=seen, width=40), f"{seen:,} of {total:,} rows", moment)
    return line


def _counts(state: RunState) -> Text:
    far = outlook(state)
    deployed = "nothing" if state.deployed is None else f"model {state.deployed}"
    done = f"{far.triggers_done:,} of {far.triggers:,} triggers done · {state.models.made:,} models"
    return Text(f"{done} · evaluations {far.evaluations_done:,} of {far.evaluations:,} · deployed: {deployed}")


def _workers(picture: Picture) -> Table:
    """A line a worker. Who claimed what the run itself knows at once; the registry tells of other runs."""
    claimed = {picture.state.tasks[task].worker: task for task in picture.state.tasks.claimed}
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for worker in picture.fleet:
        task = claimed.get(worker.worker)
        doing = _doing(task, worker, picture) if task else _elsewhere(worker, picture.state)
        table.add_row(worker.name, worker.device, *doing)
    return table


def _doing(task_id: TaskId, worker: WorkerEntry, picture: Picture) -> tuple[str, str]:
    """What a worker works on, and how far it is; of what does not say how far, for how long."""
    progress = picture.progress.get(task_id)
    if progress is not None:
        far = f"epoch {progress.epoch} of {progress.epochs}, loss {progress.loss:.4f}, {progress.eta_s:.0f} s to go"
    else:  # the registry is some seconds behind
        far = f"for {(now_us() - worker.since_us) / 1e6:.0f} s" if worker.task == task_id else ""
    return in_words(task_id, picture.state.tasks[task_id].task), far


def _elsewhere(worker: WorkerEntry, state: RunState) -> tuple[str, str]:
    if worker.state == "benched":
        return "benched: its device failed twice within an hour", ""
    other = worker.task is not None and parts_of(worker.task).run_id != state.run_id
    return ("busy with another run", "") if other else ("idle", "")
