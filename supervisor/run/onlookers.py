"""Whether somebody is shown what happens to tasks: else it is not told, which would take a fifth of our time."""

from __future__ import annotations

import time

import redis

from shared import names

_LOOK_EVERY_S = 1.0


class Onlookers:
    """Flower says by a key in Redis that it is there; it is looked for once a second."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._looked_s: float | None = None
        self._there = False

    def are_there(self) -> bool:
        """Whether tasks are to be told of. Raises redis.RedisError."""
        now_s = time.monotonic()
        if self._looked_s is None or now_s - self._looked_s > _LOOK_EVERY_S:
            self._there, self._looked_s = bool(self._client.exists(names.WATCHED_KEY)), now_s
        return self._there
