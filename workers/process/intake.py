"""When a worker takes messages: only while its child is ready and its device sound, for another worker may be both."""

from __future__ import annotations

from typing import Any

from celery import bootsteps

from shared.processes import is_stopped
from workers.process.lease_keeper import is_child
from workers.process.settings import own_settings
from workers.process.slot import SlotFile


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
