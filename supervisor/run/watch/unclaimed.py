"""Published tasks that no worker has claimed yet, by queue, in the order in which they were sent."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from shared.ids import TaskId
from shared.messages.tasks import AnyTask
from supervisor.core.state import RunState


class Sent(NamedTuple):
    """One attempt at a task."""

    task_id: TaskId
    attempt: int


class UnclaimedTasks:
    """A queue is served in order: that a message was lost matters once those before it are gone.

    So only the oldest of each queue need be looked at, however many wait.
    """

    def __init__(self) -> None:
        self._since_s: defaultdict[str, OrderedDict[Sent, float]] = defaultdict(OrderedDict)

    def note(self, sent: Iterable[tuple[TaskId, AnyTask]], now_s: float) -> None:
        """These were just published."""
        for task_id, task in sent:
            self._since_s[task.queue][Sent(task_id, task.attempt)] = now_s

    @property
    def queues(self) -> list[str]:
        """Those that have something."""
        return [queue for queue, waiting in self._since_s.items() if waiting]

    def oldest(self, queue: str, state: RunState, most: int, now_s: float) -> dict[Sent, float]:
        """The first of a queue that still wait, up to `most` → since when. What is settled is forgotten: O(1) each.

        A chord's body waits from the moment on when its headers are in.
        """
        waiting, found, unripe = self._since_s[queue], dict[Sent, float](), dict[Sent, float]()
        while waiting and len(found) + len(unripe) < most:
            one, since_s = waiting.popitem(last=False)
            open_task = state.tasks.get(one.task_id)
            if open_task is None or open_task.task.attempt != one.attempt or open_task.worker is not None:
                continue
            if open_task.ripe:
                found[one] = since_s
            else:
                unripe[one] = now_s
        for one in reversed(found):
            waiting[one] = found[one]
            waiting.move_to_end(one, last=False)
        waiting.update(unripe)
        return found
