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
from supervisor.core.events import AnyEvent, Ended, Resumed
from supervisor.core.notices import FaultSurvived
from supervisor.core.state import RunState
from supervisor.run.act.command_queue import CommandQueue
from supervisor.run.act.committer import Committer
from supervisor.run.broker import AWAY, TRY_AGAIN_S
from supervisor.run.by_hand import ByHand
from supervisor.run.directory import RunDirectory
from supervisor.run.happening import Happening
from supervisor.run.journal import Journal
from supervisor.run.links import Links
from supervisor.run.observe.following import Following
from supervisor.run.observe.looks import Looks
from supervisor.run.observe.observer import Observer
from supervisor.run.observe.table_labelling import InATable
from supervisor.run.watch.hearing import Hearing, meaning
from supervisor.run.watch.reports import Entry

_HAND_BACK_S = 20.0  # for workers to checkpoint what they do


class Loop:
    """One run. It turns: rows, reports, leases and signals happen, and commands are carried out."""

    def __init__(
        self,
        configuration: Configuration,
        directory: RunDirectory,
        journal: Journal,
        state: RunState,
        links: Links,
    ) -> None:
        self._configuration = configuration
        self._store = directory.store
        self._following: Following  # from the start on
        self._broker, self._platform, self._stop = links.broker, links.platform, links.stop
        self._reports, self._watch = links.reports, links.watch
        self._dataset, self._labels = links.dataset, links.labels
        self._hearing = Hearing(links.broker, links.reports, links.watch)
        self._claims = Claims(links.broker.client)
        self._commands = CommandQueue(Committer(configuration.pipeline, directory), links.broker)
        self._happening = Happening(state, journal, links.broker.owner, self._commands, links.listeners)
        self._looks = Looks(configuration.system.notification, links.announcements)
        self._by_hand = ByHand(directory.path, journal.path)
        self.heard_all = False  # nothing that workers reported is left to be heard
        self._resumes = False  # and has not sent anything yet
        self._survived = FaultSurvived(workers_lost=0, reconnects=0)

    @property
    def state(self) -> RunState:
        """As it is now."""
        return self._happening.state

    def start(self, events: Iterable[AnyEvent]) -> None:
        """Let the first events of a run happen."""
        self._happening.happen(list(events))
        pipeline, telling, files, labelling = self._configuration.pipeline, self._platform.telling, None, None
        if self._labels is not None:
            files, labelling = self._labels.files, InATable.of(self._labels, self._dataset.config, self.state)
        observer = Observer(pipeline, self._dataset, self.state, telling, files, labelling)
        root = self._configuration.system.artifacts_root
        self._following = Following(observer, self._looks, self._by_hand, root, self._happening)
        self._act()

    def resume(self, first: Iterable[AnyEvent], resumed: Resumed) -> None:
        """Let the first events of this session happen, hear what was reported meanwhile, then go on.

        Tasks that workers still have are left to them.
        """
        self._happening.happen(list(first))
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
            self._following.answer()
            observed = self._observe()
            self._happening.happen(self._looks.leave() if self.state.stream.ended else self._looks.happened())
            self._hear(0.0 if observed else self._watch.every_s)
            self._look()
            self._act()
            self._survive()
            self._happening.turn(self._following.rows)
        self._happening.happen(self._looks.leave())
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
        self._happening.happen([*self._looks.leave(), self._ended(status, reason)])
        return self.state

    def _survive(self) -> None:
        """Tell of faults that this session has survived since the last turn."""
        now = self._faults()
        if now != self._survived:
            self._survived = now
            self._happening.tell([now])

    def _faults(self) -> FaultSurvived:
        return FaultSurvived(workers_lost=self._platform.lost, reconnects=self._broker.reconnects)

    def _ended(self, status: Literal["finished", "stopped", "failed"], reason: str) -> Ended:
        """The end of this session, with the faults it survived."""
        return Ended(time_us=now_us(), status=status, reason=reason, **msgspec.structs.asdict(self._faults()))

    def _observe(self) -> bool:
        """Look at the next rows, unless that has to wait; whether there was something to do."""
        if self._stop.asked_by is not None:
            self._following.stop(self._stop.asked_by)
            return True
        return self._following.look()

    def _hear(self, block_s: float) -> bool:
        """Take what the workers reported since; whether there was anything."""
        return self._take(self._hearing.next(block_s))

    def _take(self, entries: list[Entry]) -> bool:
        """Let happen what was reported; whether there was anything."""
        events, shown = meaning(entries, self.state, self._store)
        self._happening.tell(shown)
        self._happening.happen(events)
        return bool(entries)

    def _look(self) -> None:
        """Mend the platform, and see what became of open tasks."""
        self._platform.mend(away=self._broker.is_away)
        if self._broker.is_away:
            return
        try:
            self._reports.trim(self.state.report_position)
            self._happening.happen(self._watch.look(self.state, self._commands.take_sent()))
        except AWAY as error:
            self._broker.lost(error)

    def _act(self) -> None:
        """Carry out what was decided; what needs the broker waits while that is away.

        Nothing is while rows are read again whose labels workers would miss.
        """
        self._broker.owner.check()
        if self._following.is_behind:
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
            self._happening.happen([self._ended(end.status, end.reason)])
