"""Hears what workers report: waits for it on Redis, and says which events it makes."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import NamedTuple

from shared.artifacts import ArtifactStore
from shared.messages.reports import AnyReport, Progress, SetUp, objects_of
from shared.timestamps import now_us
from supervisor.core.events import AnyEvent, Garbled, Reported
from supervisor.core.state import RunState
from supervisor.run.broker import AWAY, TRY_AGAIN_S, Broker
from supervisor.run.watch.reports import Entry, Reports, Unreadable
from supervisor.run.watch.watch import Watch


class Hearing:
    """Waits for reports, and where the broker is away a moment for that."""

    def __init__(self, broker: Broker, reports: Reports, watch: Watch) -> None:
        self._broker, self._reports, self._watch = broker, reports, watch

    def next(self, block_s: float) -> list[Entry]:
        """What was reported since, in order; waits for up to `block_s` if that is nothing.

        Raises RunTakenError, and RunFailedError if Redis refuses what no waiting mends.
        """
        try:
            self._broker.confirm()
            entries = self._reports.next(block_s)
            self.answered()
        except AWAY as error:
            self._broker.lost(error)
            time.sleep(TRY_AGAIN_S)  # there is nothing to wait on
            return []
        return entries

    def answered(self) -> None:
        """The broker is there; if it had been away, whoever judges by leases is to know."""
        if self._broker.answered():
            self._watch.broker_is_back()


class Meaning(NamedTuple):
    """What reports come to."""

    events: list[AnyEvent]
    shown: list[Progress | SetUp]  # what nobody journals


def meaning(entries: Iterable[Entry], state: RunState, store: ArtifactStore) -> Meaning:
    """What is to happen for these. Raises ArtifactError if `store` cannot tell whether it has an object."""
    events: list[AnyEvent] = []
    shown: list[Progress | SetUp] = []
    for position, report in entries:
        if isinstance(report, Unreadable):
            events.append(Garbled(time_us=now_us(), position=position, **report._asdict()))
        elif isinstance(report, Progress | SetUp):
            shown.append(report)
        else:
            events.append(_reported(position, report, state, store))
    return Meaning(events, shown)


def _reported(position: str, report: AnyReport, state: RunState, store: ArtifactStore) -> AnyEvent:
    """What was reported; lost if the object is not here, as where a worker made it for a copy of this run."""
    heard = Reported(time_us=now_us(), position=position, report=report)
    if isinstance(report, SetUp) or not (made := objects_of(report)):
        return heard
    open_task = state.tasks.get(report.task_id)
    if open_task is None or open_task.task.attempt != report.attempt:
        return heard
    absent = [one.name for one in made if not store.stands(one)]
    if not absent:
        return heard
    why = f"{absent[0]} is not in the run directory"
    return Garbled(time_us=now_us(), position=position, task_id=report.task_id, attempt=report.attempt, why=why)
