"""The event loop of a run: rows, reports, leases and signals become events; events, once on disk, become commands."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import msgspec
import redis
from kombu.exceptions import OperationalError

from shared.claims import Claims
from shared.config.load import Configuration
from shared.config.secrets import hide
from shared.dataset.manifest import discover, manifest_path, refuse_moved_keys
from shared.dataset.table import TableDataset, open_dataset
from shared.errors import ArtifactError
from shared.ids import TaskId
from shared.messages import AnyReport, Progress, SetUp, SetupRecord, object_of
from shared.timestamps import now_us
from supervisor.core.advance import at_rest
from supervisor.core.events import AnyEvent, Discovered, Ended, Garbled, Reported, Resumed, StopAsked
from supervisor.core.state import RunState
from supervisor.core.transition import transition
from supervisor.run.alerts import Alerts
from supervisor.run.committer import Committer
from supervisor.run.directory import RunDirectory
from supervisor.run.fulfilment import Fulfilment
from supervisor.run.journal import Journal
from supervisor.run.observer import Observer
from supervisor.run.owner import Owner
from supervisor.run.publisher import Publisher
from supervisor.run.reports import Entry, Reports, Unreadable
from supervisor.run.stop_signal import StopSignal
from supervisor.run.story import Story, tell_set_up
from supervisor.run.trouble import Trouble
from supervisor.run.view import View
from supervisor.run.watch import Watch
from supervisor.system.platform import Platform
from supervisor.system.versions import Versions

log = logging.getLogger("run")

_RECORD_EVERY_S = 10.0  # and never for more than a fiftieth of the time
_HAND_BACK_S = 20.0  # for workers to checkpoint what they do
_TRY_AGAIN_S = 0.5  # between two looks for a broker that is away


@dataclass(frozen=True, kw_only=True)
class Links:
    """What a loop is joined to."""

    client: redis.Redis
    owner: Owner
    publisher: Publisher
    dataset: TableDataset
    platform: Platform
    setup: SetupRecord
    versions: Versions
    story: Story
    alerts: Alerts
    view: View
    stop: StopSignal
    record: Callable[[RunState], object]  # writes scores and summary as far as the run has come


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
        self._journal = journal
        self._store = directory.store
        self.state = state
        self._links = links
        self._observer: Observer
        self._fulfilment = Fulfilment(Committer(configuration.pipeline, directory), links.publisher)
        self._reports = Reports(links.client, links.setup.run_id, state.report_position)
        self._claims = Claims(links.client)
        self._watch = Watch(links.client, self._claims, self._reports, links.setup, links.versions)
        self._trouble = Trouble(links.alerts, self._watch, configuration.pipeline.training.stall_after_s)
        self._away = False
        self.heard_all = False  # nothing that workers reported is left to be heard
        self._poll_s = 0.0
        self._reported = False  # anything since it was recorded last
        self._record_from_s = 0.0

    def start(self, events: Iterable[AnyEvent]) -> None:
        """Let the first events of a run happen."""
        self._happen(list(events))
        self._observer = Observer(self._configuration.pipeline, self._links.dataset, self.state)
        self._fulfil()

    def resume(self, opening: Iterable[AnyEvent], resumed: Resumed) -> None:
        """Let the first events of this session happen, hear what was reported meanwhile, then go on.

        Tasks that workers still have are left to them.
        """
        self._happen(list(opening))
        adopted = self._catch_up()
        self._fulfilment.drop_end()
        above = self._links.owner.attempts_above
        told = {"adopted": adopted, "setup_version": self._links.setup.version, "attempts_above": above}
        self.start([msgspec.structs.replace(resumed, **told)])
        self._watch.begin(self.state)

    def _catch_up(self) -> tuple[TaskId, ...]:
        """Hear all that was reported meanwhile, then see who still works; a broker that is away is waited for.

        Raises KeyboardInterrupt if the run is asked to stop before it is back.
        """
        while self._links.stop.asked_by is None:
            try:
                self._links.owner.renew()
                self._reports.continue_stream(self.state.report_position)
                while self._take(self._reports.next(0.0)):
                    pass
                standing = self._watch.standing(self.state)
                self._back()
                return standing
            except redis.RedisError as error:
                self._lost(error)
                self._links.platform.mend(away=True)
                time.sleep(_TRY_AGAIN_S)
        raise KeyboardInterrupt

    def run(self) -> RunState:
        """Turn until the run is over or stopped. Raises ModynError if it cannot go on; what is journaled stays.

        RunTakenError if another supervisor has the run now: nothing more may be written.
        """
        while self.state.status == "running" and not self.state.stopping:
            observed = self._observe()
            self._hear(0.0 if observed else self._watch.every_s)
            self._look()
            self._fulfil()
            self._links.view.turn(self.state, self._observer.dataset.rows)
            self._record()
        return self.state

    def recall(self) -> None:
        """Have workers that are not our own hand back what they do, wait a while for that, and hear what came last."""
        try:
            self._links.owner.renew()
            self._claims.recall(self._links.setup.run_id)
            give_up_s = time.monotonic() + _HAND_BACK_S
            while self._watch.standing(self.state) and time.monotonic() < give_up_s:
                self._hear(self._watch.every_s)
            while self._hear(0.0):
                pass
            self.heard_all = not self._away
        except redis.RedisError as error:
            self._lost(error)

    def commit(self) -> None:
        """Give all that was reported its final name. Raises ArtifactError."""
        self._fulfilment.commit(self.state)

    def finish(self, status: Literal["stopped", "failed"], reason: str) -> RunState:
        """Commit what was reported, and end the run; it can be resumed.

        Raises ArtifactError if that cannot be committed; a run that has failed ends all the same.
        """
        self._links.owner.check()
        try:
            self.commit()
        except ArtifactError:
            if status != "failed":
                raise
        self._happen([self._ended(status, reason)])
        return self.state

    def _ended(self, status: Literal["finished", "stopped", "failed"], reason: str) -> Ended:
        """The end of this session, with the faults it survived."""
        return Ended(
            time_us=now_us(),
            status=status,
            reason=reason,
            workers_lost=self._links.platform.lost,
            reconnects=self._links.story.reconnects,
        )

    def _happen(self, events: list[AnyEvent]) -> None:
        if not events:
            return
        self._links.owner.check()
        self._journal.append(events)
        for event in events:
            self._links.story.tell(event, self.state)
            before = self.state
            self.state, commands = transition(before, event)
            self._fulfilment.take(commands)
            self._trouble.happened(event, before, self.state)

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
        path = manifest_path(self._configuration.system.artifacts_root, dataset.config.name)
        refuse_moved_keys(dataset.entries, entries, path)
        if len(entries) == len(dataset.entries):
            return False
        new = entries[len(dataset.entries) :]
        self._observer.dataset = open_dataset(dataset.config, entries)
        self._happen([Discovered(time_us=now_us(), entries=new)])
        return True

    def _hear(self, block_s: float) -> bool:
        """Take what the workers reported since; whether there was anything."""
        try:
            self._links.owner.confirm()
            if self._away:
                self._watch.knock()
                self._links.owner.renew()
            entries = self._reports.next(block_s)
            self._back()
        except redis.RedisError as error:
            self._lost(error)
            time.sleep(_TRY_AGAIN_S)  # there is nothing to wait on
            return False
        return self._take(entries)

    def _take(self, entries: list[Entry]) -> bool:
        """Let happen what was reported; whether there was anything."""
        if entries:
            self._trouble.heard()
            self._reported = True
        events: list[AnyEvent] = []
        for position, report in entries:
            if isinstance(report, Unreadable):
                told = report._asdict()
                events.append(Garbled(time_us=now_us(), position=position, **told))
            elif isinstance(report, Progress):
                self._links.story.progress(report)
                self._links.view.progress(report)
            elif isinstance(report, SetUp):
                tell_set_up(report, self._links.versions)
            else:
                events.append(self._reported_as(position, report))
        self._happen(events)
        return bool(entries)

    def _reported_as(self, position: str, report: AnyReport) -> AnyEvent:
        """What was reported; lost if the object is not here, as where a worker made it for a copy of this run."""
        heard = Reported(time_us=now_us(), position=position, report=report)
        if isinstance(report, SetUp) or (made := object_of(report)) is None:
            return heard
        open_task = self.state.tasks.get(report.task_id)
        if open_task is None or open_task.task.attempt != report.attempt or self._store.stands(made):
            return heard
        why = f"{made.name} is not in the run directory"
        return Garbled(time_us=now_us(), position=position, task_id=report.task_id, attempt=report.attempt, why=why)

    def _look(self) -> None:
        """Mend the platform, and see what became of open tasks."""
        self._links.platform.mend(away=self._away)
        if self._away:
            self._trouble.broker_is_away(self.state)
            return
        try:
            self._reports.trim(self.state.report_position)
            self._happen(self._watch.look(self.state, self._fulfilment.take_sent()))
            self._trouble.look(self.state)
        except redis.RedisError as error:
            self._lost(error)

    def _record(self) -> None:
        """Now and then show what the run has come to: one that follows a dataset may not end for months."""
        now_s = time.monotonic()
        if not self.state.experiment and self._reported and now_s >= self._record_from_s:
            self._reported = False
            self._links.record(self.state)
            took_s = time.monotonic() - now_s
            self._record_from_s = now_s + max(_RECORD_EVERY_S, 50 * took_s)

    def _fulfil(self) -> None:
        """Carry out what was decided; what needs the broker waits while that is away."""
        self._links.owner.check()
        try:
            end = self._fulfilment.carry_out(self.state, away=self._away)
        except (OperationalError, redis.RedisError) as error:
            self._lost(error)
            return
        if end is not None:
            self._trouble.ends(end)
            self._happen([self._ended(end.status, end.reason)])

    def _lost(self, error: Exception) -> None:
        if not self._away:
            log.warning("! the broker is away (%s); the run waits and goes on when it is back", hide(str(error)))
        self._away = True

    def _back(self) -> None:
        if self._away:
            self._links.story.reconnects += 1
            log.info("the broker is back")
            self._watch.broker_is_back()
        self._away = False
