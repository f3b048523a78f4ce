"""A worker's child process: its device, its Redis client, what it says in its slot, and what it keeps warm."""

from __future__ import annotations

import os
import platform
import signal
import time
from functools import cached_property
from importlib import metadata

import redis
import torch

from shared.broker import connect
from shared.claims import Attempt, Claims
from shared.fleet import code_version
from shared.messages.setup_record import SetupRecord
from shared.messages.version import MESSAGE_VERSION
from shared.timestamps import now_us
from workers.features.class_names import LaterClasses
from workers.measured import Measurements
from workers.process.diary import Diary
from workers.process.gpus import device_name
from workers.process.settings import WorkerSettings
from workers.process.slot import Slot, SlotFile
from workers.process.slot_troubles import SlotError
from workers.shelf import Shelf
from workers.training.device import choose_device

_MARK_EVERY_S = 0.1  # well below the least `stall_after`, so that no slow batch is taken for a hang
_SHELF_BYTES = 2**30


class Child:
    """This process, which does one task at a time."""

    def __init__(self, settings: WorkerSettings) -> None:
        self.settings = settings
        self.slot, self.diary = SlotFile(settings.slot_folder), Diary(settings.slot_folder)
        self.shelf = Shelf(room_bytes=_SHELF_BYTES)
        self.later_classes, self.rows = LaterClasses(), None  # rows are read once, and memory is for trainings
        self.measured = Measurements(settings.slot_folder if settings.metrics else None, self._device_bytes)
        self._attempt: Attempt | None = None
        self._marked_s = 0.0
        self._to_stop = self._broken = False

    @cached_property
    def client(self) -> redis.Redis:
        """This process's connection to Redis."""
        return connect(self.settings.broker_url)

    @cached_property
    def claims(self) -> Claims:
        """The claim protocol over this process's connection."""
        return Claims(self.client)

    @cached_property
    def device(self) -> str:
        """The device of this worker: what it was started with, or the best there is; a GPU with its number.

        Raises NotReadyError if it is not there.
        """
        devices = torch.cuda.device_count() if torch.cuda.is_available() else 0
        return str(choose_device(device_name(self.settings.device, self.settings.number, devices)))

    @cached_property
    def versions(self) -> dict[str, str]:
        """What this worker runs; two that differ may not train the same model from the same rows."""
        return {
            "messages": str(MESSAGE_VERSION),
            "code": code_version(),
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            "celery": metadata.version("celery"),
        }

    def _device_bytes(self) -> int | None:
        return torch.cuda.memory_reserved(self.device) if self.device.startswith("cuda") else None

    def announce(self, attempt: Attempt | None = None, record: SetupRecord | None = None) -> None:
        """Write into the slot what this child works on; None: it is idle and ready. Raises SlotError."""
        if attempt is None:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the whole group; the supervisor decides
        self._attempt, self._to_stop, self._marked_s = attempt, False, 0.0
        name = torch.cuda.get_device_name(self.device) if self.device.startswith("cuda") else "cpu"
        self.slot.write(
            Slot(
                pid=os.getpid(),
                device=self.device,
                device_name=name,
                versions=self.versions,
                attempt=attempt,
                lease_s=record.lease_s if record else 0.0,
                stall_after_s=record.pipeline.training.stall_after_s if record else 0.0,
                since_us=now_us(),
                since_s=time.monotonic(),
            )
        )

    def rest(self) -> None:
        """Say that this child is idle again; if it cannot, its worker takes nothing more, and ends."""
        try:
            self.announce()
        except SlotError as error:
            self.slot.refuse(str(error))

    def replace_afterwards(self, said: str | None) -> None:
        """This process can use its device no more; once its task is reported, another is to take its place.

        `said`: what the device failed with; a worker whose device fails again soon is benched. None: a model's own
        fault.
        """
        self._broken = True
        if said is not None:
            self.slot.device_failed(said)

    def leave_if_broken(self) -> None:
        """End this process; the worker starts another."""
        if self._broken:
            os._exit(1)

    def should_stop(self) -> bool:
        """To be called wherever work goes on for long: says so to the main process, every so often.

        Whether the task is to be handed back.
        """
        now_s = time.monotonic()
        if now_s - self._marked_s > _MARK_EVERY_S:
            self._marked_s = now_s
            self.slot.mark_progress()
            recalled = self._attempt is not None and self.slot.is_recalled(self._attempt)
            self._to_stop = recalled or self.slot.stop_asked
        return self._to_stop
