"""The event loop of a run: rows, reports, leases and signals become events; events, once on disk, become commands."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Literal

import msgspec

from shared.claims import Claims
from shared.config.load import Configuration
from shared.errors import ArtifactError
from shared.ids import TaskId
from shared.timestamps import now_us
from supervisor.core.events import AnyEvent, Ended, Resumed, StopAsked
from supervisor.core.notices import FaultSurvived, Told
from supervisor.core.state import RunState
from supervisor.core.transition import transition
from supervisor.run.act.command_queue import CommandQueue
from supervisor.run.act.committer import Committer
from supervisor.run.broker import AWAY, TRY_AGAIN_S
from supervisor.run.by_hand import ByHand
from supervisor.run.directory import RunDirectory
from supervisor.run.journal import Journal
from supervisor.run.links import Links
from supervisor.run.observe.answering import answer
from supervisor.run.observe.looks import Looks
from supervisor.run.observe.observer import Observer
from supervisor.run.observe.table_labelling import InATable
from supervisor.run.watch.hearing import Hearing, meaning
from supervisor.run.watch.reports import Entry

_HAND_BACK_S = 20.0  # for workers to checkpoint what they do


class Loop:
    """One run. Everything that happens passes `_happen`: journal first, then state, then commands and listeners."""

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
        self._observer: Observer
        self._broker, self._platform, self._stop = links.broker, links.platform, links.stop
        self._reports, self._watch = links.reports, links.watch
        self._dataset, self._labels = links.dataset, links.labels
        self._listeners = links.listeners
        self._hearing = Hearing(links.broker, links.reports, links.watch)
        self._claims = Claims(links.broker.client)
        self._commands = CommandQueue(Committer(configuration.pipeline, directory), links.broker)
        self._looks = Looks(configuration.system.notification, links.announcements)
        self._by_hand = ByHand(directory.path, journal.path)
        self.heard_all = False  # nothing that workers reported is left to be heard
        self._resumes = False  # and has not sent anything yet
        self._survived = FaultSurvived(workers_lost=0, reconnects=0)

    def start(self, events: Iterable[AnyEvent]) -> None:
        """Let the first events of a run happen."""
        self._happen(list(events))
        pipeline, telling, files, labelling = self._configuration.pipeline, self._platform.telling, None, None
        if self._labels is not None:
            files, labelling = self._labels.files, InATable.of(self._labels, self._dataset.config, self.state)
        self._observer = Observer(pipeline, self._dataset, self.state, telling, files, labelling)
        self._act()

    def resume(self, first: Iterable[AnyEvent], resumed: Resumed) -> None:
        """Let the first events of this session happen, hear what was reported meanwhile, then go on.

        Tasks that workers still have are left to them.
        """
        self._happen(list(first))
        adopted = self._catch_up()
        self._commands.drop_end()
        self._resumes = True
        above = self._broker.owner.attempts_above
        self.start([msgspec.structs.replace(resumed, adopted=adopted, attempts_above=above)])

    def _catch_up(self) -> tuple[TaskId, ...]:
        """Hear all that was reported meanwhile, then see who still works; a broker that is away is waited for.

        Raises KeyboardInterrupt if the run is asked to stop before it is back.
        """
        while self._stop.asked_by is None:
            try:
                self._broker.owner.renew()
                self._reports.continue_stream(self.state.report_position)
                while self._take(self._reports.next(0.0)):
                    pass
                standing = self._watch.standing(self.state)
                self._hearing.answered()
                return standing
            except AWAY as error:
                self._broker.lost(error)
                self._platform.mend(away=True)
                time.sleep(TRY_AGAIN_S)
        raise KeyboardInterrupt

    def run(self) -> RunState:
        """Turn until the run is over or stopped. Raises ModynError if it cannot go on; what is journaled stays.

        RunTakenError if another supervisor has the run now: nothing more may be written.
        """
        while self.state.status == "running" and not self.state.stopping:
            self._answer()
            observed = self._observe()
            self._happen(self._looks.leave() if self.state.stream.ended else self._looks.happened())
            self._hear(0.0 if observed else self._watch.every_s)
            self._look()
            self._act()
            self._survive()
            for listener in self._listeners:
                listener.turn(self.state, self._observer.rows)
        self._happen(self._looks.leave())
        return self.state

    def recall(self) -> None:
        """Have workers that are not our own hand back what they do, wait a while for that, and hear what came last."""
        try:
            self._broker.owner.renew()
            self._claims.recall(self._broker.run_id)
            give_up_s = time.monotonic() + _HAND_BACK_S
            while self._watch.standing(self.state) and time.monotonic() < give_up_s:
                self._hear(self._watch.every_s)
            while self._hear(0.0):
                pass
            self.heard_all = not self._broker.is_away
        except AWAY as error:
            self._broker.lost(error)

    def commit(self) -> None:
        """Give all that was reported its final name. Raises ArtifactError."""
        self._commands.commit(self.state)

    def finish(self, status: Literal["stopped", "failed"], reason: str) -> RunState:
        """Commit what was reported, and end the run; it can be resumed.

        Raises ArtifactError if that cannot be committed; a run that has failed ends all the same.
        """
        self._broker.owner.check()
        try:
            self.commit()
        except ArtifactError:
            if status != "failed":
                raise
        self._happen([*self._looks.leave(), self._ended(status, reason)])
        return self.state

    def _survive(self) -> None:
        """Tell of faults that this session has survived since the last turn."""
        now = self._faults()
        if now != self._survived:
            self._survived = now
            self._tell([now])

    def _faults(self) -> FaultSurvived:
        return FaultSurvived(workers_lost=self._platform.lost, reconnects=self._broker.reconnects)

    def _ended(self, status: Literal["finished", "stopped", "failed"], reason: str) -> Ended:
        """The end of this session, with the faults it survived."""
        return Ended(time_us=now_us(), status=status, reason=reason, **msgspec.structs.asdict(self._faults()))

    def _happen(self, events: list[AnyEvent]) -> None:
        if not events:
            return
        self._broker.owner.check()
        self._journal.append(events)
        for event in events:
            self.state, commands, notices = transition(self.state, event)
            self._commands.take(commands)
            self._tell(notices)

    def _tell(self, told: Iterable[Told]) -> None:
        for one in told:
            for listener in self._listeners:
                listener.hear(one)

    def _observe(self) -> bool:
        """Look at the next rows, unless that has to wait; whether there was something to do."""
        if self._stop.asked_by is not None:
            seen = self._observer.unsaid()
            self._happen([*([seen] if seen else []), StopAsked(time_us=now_us(), by=self._stop.asked_by)])
            return True
        if not self._observer.may_go_on(self.state):
            return False
        if not self._observer.at_end:
            event = self._observer.observe(self.state)
            self._happen([event] if event else [])
            return True
        if self.state.experiment or self._observer.fired_all:
            self._happen([self._observer.end()])
            return True
        return self._discover()

    def _answer(self) -> None:
        """Fire what people ask for by hand."""
        if self._observer.is_catching_up:
            return
        for request in self._by_hand.asked():
            self._happen([answer(request, self._observer, self.state)])
            self._by_hand.answered(request)

    def _discover(self) -> bool:
        """Look for new files and lines, where that is due; a look that finds nothing changes nothing."""
        found = self._look_for_rows() if self._looks.are_due else []
        if self._observer.at_end and self._looks.quiet_is_due():
            quiet = self._observer.quiet(now_us(), self.state)
            self._happen([quiet] if quiet else [])
        return bool(found)

    def _look_for_rows(self) -> list[AnyEvent]:
        waits = self._observer.waits()
        self._tell([waits] if waits else [])
        with self._looks.one():
            found = self._observer.discover(self._configuration.system.artifacts_root, self._looks.rest)
            self._happen(found)
        return found

    def _hear(self, block_s: float) -> bool:
        """Take what the workers reported since; whether there was anything."""
        return self._take(self._hearing.next(block_s))

    def _take(self, entries: list[Entry]) -> bool:
        """Let happen what was reported; whether there was anything."""
        events, shown = meaning(entries, self.state, self._store)
        self._tell(shown)
        self._happen(events)
        return bool(entries)

    def _look(self) -> None:
        """Mend the platform, and see what became of open tasks."""
        self._platform.mend(away=self._broker.is_away)
        if self._broker.is_away:
            return
        try:
            self._reports.trim(self.state.report_position)
            self._happen(self._watch.look(self.state, self._commands.take_sent()))
        except AWAY as error:
            self._broker.lost(error)

    def _act(self) -> None:
        """Carry out what was decided; what needs the broker waits while that is away.

        Nothing is while rows are read again whose labels workers would miss.
        """
        self._broker.owner.check()
        if self._observer.is_behind:
            return
        if self._resumes:
            self._resumes = False
            self._watch.begin(self.state)
        try:
            end = self._commands.carry_out(self.state)
        except AWAY as error:
            self._broker.lost(error)
            return
        if end is not None:
            self._happen([self._ended(end.status, end.reason)])
