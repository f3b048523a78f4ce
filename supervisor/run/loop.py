"""The event loop of a run: rows, reports, leases and signals become events; events, once on disk, become commands."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import redis
from kombu.exceptions import OperationalError

from shared import names
from shared.claims import Claims
from shared.config.load import Configuration
from shared.dataset.manifest import discover
from shared.dataset.table import TableDataset, open_dataset
from shared.fleet import read_fleet
from shared.messages import Progress, SetUp, SetupRecord
from shared.timestamps import now_us
from supervisor.core.advance import at_rest
from supervisor.core.commands import (
    AnyCommand,
    CommitModel,
    CommitTrainingSet,
    End,
    Publish,
    PublishChord,
    Republish,
)
from supervisor.core.events import AnyEvent, Discovered, Ended, LeaseExpired, Reported, StopAsked, Unclaimed
from supervisor.core.state import RunState
from supervisor.core.transition import transition
from supervisor.run.directory import RunDirectory
from supervisor.run.journal import Journal
from supervisor.run.observer import Observer
from supervisor.run.publisher import Publisher
from supervisor.run.reports import Reports
from supervisor.run.stop_signal import StopSignal
from supervisor.run.story import Story, tell_set_up
from supervisor.run.view import View
from supervisor.system.local_fleet import LocalFleet
from supervisor.system.setup import write_setup

log = logging.getLogger(__name__)

_IDLE_BEFORE_REPUBLISH_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Links:
    """What a loop is joined to."""

    client: redis.Redis
    publisher: Publisher
    claims: Claims
    dataset: TableDataset
    fleet: LocalFleet | None
    setup: SetupRecord
    story: Story
    view: View
    stop: StopSignal


class Loop:
    """One run. Everything that happens passes `_happen`: journal first, then state, then commands."""

    def __init__(
        self,
        configuration: Configuration,
        directory: RunDirectory,
        journal: Journal,
        state: RunState,
        links: Links,
    ) -> None:
        self._configuration = configuration
        self._directory = directory
        self._journal = journal
        self.state = state
        self._links = links
        self._observer: Observer
        self._intents: deque[AnyCommand] = deque()  # journaled, not yet carried out: the broker was away
        self._events: list[AnyEvent] = []
        self._reports = Reports(links.client, links.setup.run_id, state.report_position)
        self._away = False
        self._check_leases_s = 0.0
        self._poll_s = 0.0
        self._unclaimed_since_s: float | None = None

    def run(self) -> RunState:
        """Turn until the run is over or stopped. Raises ModynError if it cannot go on; what is journaled stays."""
        while self.state.status == "running" and not self.state.stopping:
            observed = self._observe()
            self._hear(0.0 if observed else self._wait_s())
            self._judge_leases()
            self._fulfil()
            self._links.view.turn(self.state, self._observer.dataset.rows)
        return self.state

    def start(self, events: Iterable[AnyEvent]) -> None:
        """Let the first events of the run, or of its resumption, happen."""
        self._happen(list(events))
        self._observer = Observer(self._configuration.pipeline, self._links.dataset, self.state)
        self._fulfil()

    def finish(self, status: Literal["stopped", "failed"], reason: str) -> RunState:
        """Hear what came in last, and end the run; it can be resumed."""
        self._hear(0.0)
        self._happen([Ended(time_us=now_us(), status=status, reason=reason)])
        return self.state

    def _happen(self, events: list[AnyEvent]) -> None:
        if not events:
            return
        self._journal.append(events)
        for event in events:
            self._links.story.tell(event, self.state)
            self.state, commands = transition(self.state, event)
            self._intents.extend(commands)

    def _observe(self) -> bool:
        """Look at the next batch of rows, unless enough triggers wait already; whether there was something to do."""
        if self._links.stop.asked_by is not None:
            self._happen([StopAsked(time_us=now_us(), by=self._links.stop.asked_by)])
            return True
        if self.state.stream_ended or not at_rest(self.state):
            return False
        if not self._observer.at_end:
            event = self._observer.observe()
            self._happen([event] if event else [])
            return True
        if self.state.experiment or self._observer.fired_all:
            self._happen([self._observer.end()])
            return True
        return self._discover()

    def _discover(self) -> bool:
        """Look for new files, every so often; a poll that finds nothing changes nothing."""
        if time.monotonic() < self._poll_s:
            return False
        self._poll_s = time.monotonic() + self._configuration.system.notification.every_s
        dataset = self._observer.dataset
        entries = discover(dataset.config, self._configuration.system.artifacts_root)
        if len(entries) == len(dataset.entries):
            return False
        new = entries[len(dataset.entries) :]
        self._observer.dataset = open_dataset(dataset.config, entries)
        self._happen([Discovered(time_us=now_us(), entries=new)])
        return True

    def _wait_s(self) -> float:
        """How long the loop may sleep on Redis: until the next lease check or poll."""
        return max(0.01, min(1.0, self._configuration.system.lease_s / 5))

    def _hear(self, block_s: float) -> None:
        """Take what the workers reported since."""
        try:
            entries = self._reports.next(block_s)
            self._back()
        except redis.RedisError as error:
            self._lost(error)
            time.sleep(0.5)  # the broker is away: there is nothing to wait on
            return
        events: list[AnyEvent] = []
        for position, report in entries:
            if isinstance(report, Progress):
                self._links.story.progress(report)
                self._links.view.progress(report)
            elif isinstance(report, SetUp):
                tell_set_up(report)
            else:
                events.append(Reported(time_us=now_us(), position=position, report=report))
        self._happen(events)

    def _judge_leases(self) -> None:
        """Find attempts whose worker is gone, and messages that are in no queue although a worker is idle."""
        if time.monotonic() < self._check_leases_s or self._away:
            return
        self._check_leases_s = time.monotonic() + self._wait_s()
        if self._links.fleet is not None:
            for name in self._links.fleet.respawn():
                log.warning(
                    "! worker %s died and was started again; its task is published again when its lease ends", name
                )
        try:
            self._reports.trim(self.state.report_position)
            expired = self._links.claims.expired(self.state.run_id)
            unclaimed = self._lost_messages()
        except redis.RedisError as error:
            self._lost(error)
            return
        tasks = self.state.tasks
        judged: list[AnyEvent] = [
            *[LeaseExpired(time_us=now_us(), task_id=i, attempt=tasks[i].task.attempt) for i in expired if i in tasks],
            *[Unclaimed(time_us=now_us(), task_id=i, attempt=tasks[i].task.attempt) for i in unclaimed],
        ]
        self._happen(judged)

    def _lost_messages(self) -> list[Any]:
        """Unclaimed tasks whose queue is empty while a worker of the role has been idle for some seconds."""
        waiting = [i for i, open_task in self.state.tasks.items() if open_task.worker is None and open_task.runnable]
        if not waiting:
            self._unclaimed_since_s = None
            return []
        idle_since_us = now_us() - round(_IDLE_BEFORE_REPUBLISH_S * 1e6)
        idle = {w.role for w in read_fleet(self._links.client) if w.state == "idle" and w.since_us < idle_since_us}
        queue_of = {i: names.QUEUE_BY_TASK[self.state.tasks[i].task.kind] for i in waiting}
        candidates = [i for i in waiting if names.ROLE_BY_QUEUE[queue_of[i]] in idle]
        if not candidates or any(self._links.client.llen(queue_of[i]) for i in candidates):
            self._unclaimed_since_s = None
            return []
        if self._unclaimed_since_s is None:  # they may have been published this very moment: look again
            self._unclaimed_since_s = time.monotonic()
        if time.monotonic() - self._unclaimed_since_s < self._configuration.system.lease_s:
            return []
        self._unclaimed_since_s = None
        return candidates

    def _fulfil(self) -> None:
        """Carry out what was decided, in order; with the broker away the intents wait."""
        while self._intents:
            try:
                self._carry_out(self._intents[0])
                self._back()
            except (OperationalError, redis.RedisError) as error:
                self._lost(error)
                return
            self._intents.popleft()

    def _carry_out(self, command: AnyCommand) -> None:
        match command:
            case Publish():
                self._links.publisher.publish(command)
            case PublishChord():
                self._links.publisher.publish_chord(command)
            case Republish():
                self._links.publisher.republish(command)
            case CommitTrainingSet():
                self._directory.commit_training_set(command.trigger_id, command.training_set)
            case CommitModel():
                fired = self.state.trigger(command.trigger_id).fired
                model = self._configuration.pipeline.model
                about = {
                    "trigger": command.trigger_id,
                    "watermark": {"key": fired.key, "timestamp_us": fired.timestamp_us},
                    "model": model.id,
                    "framework": model.framework,
                    "pipeline": self._configuration.pipeline.pipeline.name,
                }
                self._directory.commit_model(command.trigger_id, command.model, about)
            case End():
                self._happen([Ended(time_us=now_us(), status=command.status, reason=command.reason)])

    def _lost(self, error: Exception) -> None:
        if not self._away:
            log.warning("! the broker is away (%s); the run waits and goes on when it is back", error)
        self._away = True

    def _back(self) -> None:
        if self._away:
            self._links.story.reconnects += 1
            log.info("the broker is back")
            write_setup(self._links.client, self._links.setup)  # it may have come back without its memory
            # Leases could not be renewed meanwhile; nothing is judged for one full lease.
            self._check_leases_s = time.monotonic() + self._configuration.system.lease_s
        self._away = False
