"""What must not hide what went wrong before it."""

from __future__ import annotations

import logging
from collections.abc import Callable

import redis
from kombu.exceptions import OperationalError

from shared.errors import ModynError

log = logging.getLogger(__name__)


def quietly(act: Callable[[], object]) -> bool:
    """Do it; whether it was done. What broker, disk and our own errors say against it is for --debug alone."""
    try:
        act()
    except (ModynError, redis.RedisError, OperationalError, OSError) as error:
        log.debug("not done: %s", error)
        return False
    return True
