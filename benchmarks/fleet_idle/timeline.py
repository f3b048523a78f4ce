"""What a journal says of time: when each task could be claimed, when it was, when it ended, and by whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.config.load import load_configuration
from shared.ids import TaskId, WorkerId, parts_of
from shared.messages.reports import Claimed, Report
from supervisor.core.commands import Publish, PublishChord
from supervisor.core.events import Reported, event_of
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.core.transition import transition

MS_PER_S = 1000


@dataclass(kw_only=True)
class Span:
    """One task; times are ms since 1970, of one machine."""

    task_id: TaskId
    ripe_ms: float | None = None  # published, and not waiting for its headers any more
    claimed_ms: float | None = None
    ended_ms: float | None = None  # its report
    worker: WorkerId | None = None

    @property
    def stage(self) -> str:
        """What kind of work it is."""
        return parts_of(self.task_id).stage

    @property
    def trigger(self) -> int:
        """Whose work it is."""
        return parts_of(self.task_id).trigger_id

    @property
    def waited_s(self) -> float | None:
        """How long nobody took it, though somebody could have; None if it was never taken."""
        if self.ripe_ms is None or self.claimed_ms is None:
            return None
        return max(0.0, self.claimed_ms - self.ripe_ms) / MS_PER_S


def timeline(journal: Iterable[bytes], files: tuple[Path, Path]) -> list[Span]:
    """The tasks of a run that nothing happened to, in the order of the journal.

    When a task could be claimed follows from the journal and the rules of the core: both are put together again. When
    it was claimed and ended is Redis's own time, which stands in the report's place in the stream.
    """
    state = RunState(settings=Settings.of(load_configuration(*files, experiment_mode=True).pipeline))
    spans: dict[TaskId, Span] = {}
    for event in map(event_of, journal):
        if isinstance(event, Reported) and isinstance(event.report, Report):
            _note(spans.setdefault(event.report.task_id, Span(task_id=event.report.task_id)), event, event.report)
        state, commands, *_ = transition(state, event)
        for task_id in _ripe(state, commands):
            span = spans.setdefault(task_id, Span(task_id=task_id))
            span.ripe_ms = event.time_us / 1000 if span.ripe_ms is None else span.ripe_ms
    return list(spans.values())


def _note(span: Span, event: Reported, report: Report) -> None:
    at_ms = float(event.position.split("-")[0])
    if isinstance(report, Claimed):
        span.claimed_ms, span.worker = at_ms, report.worker
    else:
        span.ended_ms = at_ms


def _ripe(state: RunState, commands: Iterable[object]) -> Iterator[TaskId]:
    """Tasks that a worker can claim once these commands are carried out."""
    for command in commands:
        if isinstance(command, Publish):
            yield command.task_id
        elif isinstance(command, PublishChord):
            yield from (task_id for task_id, _ in command.headers)
    yield from (task_id for task_id, one in state.tasks.items() if one.is_body and one.ripe)


def idle_share(spans: Iterable[Span], worker: WorkerId, from_ms: float, to_ms: float) -> float:
    """The share of a stretch of time in which the worker had no task of any of these runs. It has one at a time."""
    mine = [one for one in spans if one.worker == worker and one.claimed_ms is not None]
    busy_ms = sum(
        max(0.0, min(to_ms, to_ms if one.ended_ms is None else one.ended_ms) - max(from_ms, one.claimed_ms or 0.0))
        for one in mine
    )
    return 1 - busy_ms / (to_ms - from_ms)
