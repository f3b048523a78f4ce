"""Hears at once that a run stops and wants its tasks back, at the price of a connection and a ping a lease."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import redis

from shared import names
from shared.ids import RunId

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.5  # whether to stop; Redis hears nothing of it
_AWAY_S = 1.0


class RecallListener:
    """A thread that listens. What it misses while the broker is away, the next renewal of a lease tells."""

    def __init__(self, client: redis.Redis, heard: Callable[[RunId], None], ping_every_s: float) -> None:
        self._client = client
        self._heard = heard
        self._ping_every_s = ping_every_s  # else a connection that is half open would be listened to for ever
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin; the thread ends with the process, or when it is told to."""
        threading.Thread(target=self._run, name="recalls", daemon=True).start()

    def stop(self) -> None:
        """Hear no more."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen()
            except redis.RedisError:
                pass  # the keeper says that the broker is away
            except Exception:  # without this thread a recall would be heard as late as a lease is renewed
                log.exception("a recall may not have been heard")
            self._stopped.wait(_AWAY_S)
        self._client.close()

    def _listen(self) -> None:
        with self._client.pubsub(ignore_subscribe_messages=True) as channel:
            channel.subscribe(names.RECALLS)
            ping_s = time.monotonic() + self._ping_every_s
            while not self._stopped.is_set():
                message = channel.get_message(timeout=_LOOK_EVERY_S)
                if message is not None and message["type"] == "message":
                    self._heard(RunId(message["data"]))
                if time.monotonic() > ping_s:
                    channel.ping()
                    ping_s = time.monotonic() + self._ping_every_s
