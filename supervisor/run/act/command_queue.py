"""Carries out commands, in order. With the broker away they wait; those that are to come later, too."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable

from shared.ids import TaskId
from shared.messages.tasks import AnyTask
from supervisor.core.commands import (
    AnyCommand,
    CommitModel,
    CommitState,
    CommitTrainingSet,
    End,
    Publish,
    PublishChord,
    Republish,
    RetireModel,
    RetireState,
)
from supervisor.core.state import RunState
from supervisor.run.act.committer import Commit, Committer, Retire
from supervisor.run.broker import Broker


class CommandQueue:
    """What was decided, journaled and not carried out yet. None of it is lost with the process: the state has it."""

    def __init__(self, committer: Committer, broker: Broker, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._committer = committer
        self._broker = broker
        self._publisher = broker.publisher
        self._waiting: deque[AnyCommand] = deque()
        self._later: list[tuple[float, Republish]] = []  # (due, command)
        self._sent: list[tuple[TaskId, AnyTask]] = []

    def take(self, commands: Iterable[AnyCommand]) -> None:
        """Put commands behind those that wait."""
        for command in commands:
            if isinstance(command, Republish) and command.delay_s > 0:
                self._later.append((self._clock_s() + command.delay_s, command))
            else:
                self._waiting.append(command)

    def take_sent(self) -> list[tuple[TaskId, AnyTask]]:
        """What was published since this was asked last; a chord's body, too, which goes out when its headers are in."""
        sent, self._sent = self._sent, []
        return sent

    def carry_out(self, state: RunState) -> End | None:
        """Do what is due, up to the first message if the broker is away; the end of the run, if that was decided.

        Raises kombu's OperationalError or redis.RedisError if the broker is away, and ArtifactError; what could not be
        done stays first in line.
        """
        now_s = self._clock_s()
        self._waiting.extend(command for due_s, command in self._later if due_s <= now_s)
        self._later = [(due_s, command) for due_s, command in self._later if due_s > now_s]
        while self._waiting:
            command = self._waiting[0]
            if isinstance(command, End):
                self.commit(state)
                return command
            if self._broker.is_away and not isinstance(command, Commit | Retire):
                return None
            self._do(command, state)
            self._waiting.popleft()
        return None

    def drop_end(self) -> None:
        """A resumed run tries again what ended the session before, also where that was heard only now."""
        self._waiting = deque(command for command in self._waiting if not isinstance(command, End))

    def commit(self, state: RunState) -> None:
        """Do only what belongs to the run directory; messages are of no use any more. Raises ArtifactError."""
        self._waiting = deque(one for one in self._waiting if isinstance(one, Commit | Retire))
        while self._waiting:
            self._do(self._waiting[0], state)
            self._waiting.popleft()

    def _do(self, command: AnyCommand, state: RunState) -> None:
        match command:
            case Publish():
                self._publisher.publish(command)
                self._sent.append((command.task_id, command.task))
            case PublishChord():
                self._publisher.publish_chord(command)
                self._sent += [*command.headers, (command.body_id, command.body)]
            case Republish():
                # The task may have moved on while this waited.
                open_task = state.tasks.get(command.task_id)
                if open_task is not None and open_task.task.attempt == command.task.attempt:
                    self._publisher.republish(command)
                    self._sent.append((command.task_id, command.task))
            case CommitTrainingSet() | CommitState() | CommitModel():
                self._committer.commit(command, state)
            case RetireModel() | RetireState():
                self._committer.retire(command)
