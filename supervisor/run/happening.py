"""What happens to a run passes here: the journal has it first, then the state follows, then commands and listeners."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from supervisor.core.events import AnyEvent
from supervisor.core.notices import Listener, Told
from supervisor.core.state import RunState
from supervisor.core.transition import transition
from supervisor.run.act.command_queue import CommandQueue
from supervisor.run.journal import Journal
from supervisor.run.owner import Owner


class Happening:
    """The state of one run, and the only way to change it."""

    def __init__(
        self, state: RunState, journal: Journal, owner: Owner, commands: CommandQueue, listeners: Sequence[Listener]
    ) -> None:
        self.state = state
        self._journal, self._owner, self._commands, self._listeners = journal, owner, commands, listeners

    def happen(self, events: Sequence[AnyEvent]) -> None:
        """Let this happen, in order. Raises RunTakenError if another supervisor has the run now."""
        if not events:
            return
        self._owner.check()
        self._journal.append(events)
        for event in events:
            self.state, commands, notices = transition(self.state, event)
            self._commands.take(commands)
            self.tell(notices)

    def tell(self, told: Iterable[Told]) -> None:
        """Let all listeners hear it."""
        for one in told:
            for listener in self._listeners:
                listener.hear(one)

    def turn(self, rows: int) -> None:
        """Show all listeners the state as it is now; `rows`: of the dataset that have keys."""
        for listener in self._listeners:
            listener.turn(self.state, rows)
