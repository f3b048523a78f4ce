"""What a turn of the loop does about the dataset: rows that are there, triggers that people ask for, and new files."""

from __future__ import annotations

from shared.timestamps import now_us
from supervisor.core.events import AnyEvent, StopAsked
from supervisor.run.by_hand import ByHand
from supervisor.run.happening import Happening
from supervisor.run.observe.answering import answer
from supervisor.run.observe.looks import Looks
from supervisor.run.observe.observer import Observer


class Following:
    """Has happen what the observer finds."""

    def __init__(
        self, observer: Observer, looks: Looks, by_hand: ByHand, artifacts_root: str, happening: Happening
    ) -> None:
        """`artifacts_root`: where manifests of datasets lie."""
        self._observer, self._looks, self._by_hand = observer, looks, by_hand
        self._artifacts_root, self._happening = artifacts_root, happening

    @property
    def rows(self) -> int:
        """Rows of the dataset that have keys."""
        return self._observer.rows

    @property
    def is_behind(self) -> bool:
        """Whether rows are read again whose labels workers would miss."""
        return self._observer.is_behind

    def answer(self) -> None:
        """Fire what people ask for by hand."""
        if self._observer.is_catching_up:
            return
        for request in self._by_hand.asked():
            self._happening.happen([answer(request, self._observer, self._happening.state)])
            self._by_hand.answered(request)

    def look(self) -> bool:
        """Look at the next rows, unless that has to wait; whether there was something to do."""
        state = self._happening.state
        if not self._observer.may_go_on(state):
            return False
        if not self._observer.at_end:
            event = self._observer.observe(state)
            self._happening.happen([event] if event else [])
            return True
        if state.experiment or self._observer.fired_all:
            self._happening.happen([self._observer.end()])
            return True
        return self._discover()

    def stop(self, by: str) -> None:
        """Observe no more: how far it has seen is journaled first."""
        seen = self._observer.unsaid()
        self._happening.happen([*([seen] if seen else []), StopAsked(time_us=now_us(), by=by)])

    def _discover(self) -> bool:
        """Look for new files and lines, where that is due; a look that finds nothing changes nothing."""
        found = self._look_for_rows() if self._looks.are_due else []
        if self._observer.at_end and self._looks.quiet_is_due():
            quiet = self._observer.quiet(now_us(), self._happening.state)
            self._happening.happen([quiet] if quiet else [])
        return bool(found)

    def _look_for_rows(self) -> list[AnyEvent]:
        waits = self._observer.waits()
        self._happening.tell([waits] if waits else [])
        with self._looks.one():
            found = self._observer.discover(self._artifacts_root, self._looks.rest)
            self._happening.happen(found)
        return found
