"""What a worker takes: messages only while its child is ready and its device sound, and of which queue first."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from celery import bootsteps

from shared import names
from shared.processes import is_stopped
from workers.process.lease_keeper import is_child
from workers.process.settings import WorkerSettings, own_settings
from workers.process.slot import Slot, SlotFile

_HELPS_AFTER_S = 2.0  # between two trainings that depend on each other a worker is idle for far less


class TakeWhenReady(bootsteps.StartStopStep):  # type: ignore[misc]
    """A new child imports torch for some seconds; a message that was taken meanwhile would lie and wait for it."""

    requires = {"celery.worker.consumer.tasks:Tasks"}

    def start(self, parent: Any) -> None:
        """Ask the slot, too, before Celery asks Redis for a message. Done for every new connection."""
        channel_qos = parent.task_consumer.channel.qos
        may_otherwise, file = channel_qos.can_consume, SlotFile(own_settings().slot_folder)
        channel_qos.can_consume = lambda: may_otherwise() and _is_ready(file)


def _is_ready(file: SlotFile) -> bool:
    slot = file.read()
    sound = slot is not None and is_child(slot.pid) and not is_stopped(slot.pid)
    return sound and file.benched() is None


class Preference:
    """Kombu's `queue_order_strategy`: messages to this worker alone first, then as names.queues_of says.

    A train worker helps with evaluations only when it has been idle for a while: they may be long, and the next
    training would wait for it.
    """

    def __init__(self, settings: WorkerSettings | None = None) -> None:
        """Kombu gives it nothing."""
        settings = settings or own_settings()
        self._role, self._file = settings.role, SlotFile(settings.slot_folder)
        self._all: list[str] = []

    def update(self, queues: Iterable[str]) -> None:
        """The queues that Celery consumes from."""
        self._all = sorted(queues)

    def consume(self, _: int) -> list[str]:
        """Those to ask now, in order."""
        slot = self._file.read()
        if slot is None or self._file.benched() is not None:
            return []
        of_role = names.queues_of(self._role)
        own = [queue for queue in self._all if queue not in of_role]
        left = names.queues_of_gates() if self._role == "train" and _idle_s(slot) < _HELPS_AFTER_S else ()
        wanted = [queue for queue in names.queues_of(self._role, slot.device) if queue not in left]
        return own + [queue for queue in wanted if queue in self._all]

    def rotate(self, last_used: str) -> None:
        """Nothing: the order is always the same."""


def _idle_s(slot: Slot) -> float:
    """For how long this worker has had nothing to do."""
    return time.monotonic() - slot.since_s if slot.attempt is None else 0.0
