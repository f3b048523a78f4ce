"""A process that does the work of a fleet's workers for one who asks it alone, without a broker."""

from __future__ import annotations

from functools import cached_property

import redis

from shared.dataset.remembering import Memory
from workers.features.class_names import LaterClasses
from workers.measured import Measurements
from workers.shelf import Shelf
from workers.training.device import choose_device

_SHELF_BYTES = 2**30
_MEMORY_BYTES = 2**28


class Alone:
    """This process, which works for no fleet."""

    def __init__(self) -> None:
        self.shelf = Shelf(room_bytes=_SHELF_BYTES)
        self.later_classes, self.rows = LaterClasses(), Memory(_MEMORY_BYTES)
        self.measured = Measurements(None, lambda: None)

    @cached_property
    def device(self) -> str:
        """The best there is."""
        return str(choose_device("auto"))

    @property
    def client(self) -> redis.Redis:
        """There is none: what it does needs no broker."""
        raise NotImplementedError("a process that is asked alone has no broker")

    def should_stop(self) -> bool:
        """Who asks ends it."""
        return False
