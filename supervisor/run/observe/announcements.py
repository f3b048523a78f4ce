"""Hears what producers announce, in a thread of its own, for the loop that waits elsewhere; it only wakes that up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from types import TracebackType

import redis

from shared import names
from shared.broker import will_pass
from shared.config.load import Configuration
from shared.config.secrets import hide
from shared.ids import RunId
from shared.timestamps import now_us
from supervisor.core.events import AnyEvent, Deregistered, Registered
from supervisor.run.observe.announced_stream import AnnouncedStream
from supervisor.system.announcing import connect_to_announcements

log = logging.getLogger(__name__)

_BLOCK_S = 0.5  # so soon it hears that the run is over, too
_TRY_AGAIN_S = 0.5
_FORGOTTEN = "NOGROUP"  # what Redis says of a group, or stream, that it does not know


class Announcements:
    """What was announced and not looked for yet. A context: it is heard inside.

    It begins with a look, as does each time after Redis was away: nobody knows what was announced before. What is
    announced is acknowledged when what a look for it has found is journaled.
    """

    def __init__(self, stream: AnnouncedStream, wake: Callable[[], object]) -> None:
        """`wake`: have the loop turn."""
        self._stream, self._wake = stream, wake
        self._lock = threading.Lock()
        self._wanted = False
        self._waiting: list[str] = []  # for a look
        self._looked: list[str] = []  # to be acknowledged
        self._happened: list[AnyEvent] = []
        self._is_there = self._was_there = self._is_lost = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="announcements", daemon=True)

    @property
    def wants_a_look(self) -> bool:
        """Whether something was announced, or may have been."""
        return self._wanted

    def take(self) -> list[str]:
        """What the look is for that begins now."""
        with self._lock:
            taken, self._waiting, self._wanted = self._waiting, [], False
        return taken

    def looked(self, taken: Sequence[str]) -> None:
        """What that look has found is journaled."""
        with self._lock:
            self._looked += taken

    def happened(self) -> list[AnyEvent]:
        """What is to be journaled since it was asked last."""
        with self._lock:
            happened, self._happened = self._happened, []
        return happened

    def leave(self) -> list[AnyEvent]:
        """Hear nothing more, and have Redis forget that we did; what is to be journaled of that."""
        if self._ended.is_set():
            return []
        self._end()
        if not self._was_there:
            return self.happened()
        try:
            self._stream.leave()
        except redis.RedisError as error:
            log.warning(
                "! the group %s of stream %s could not be removed (%s); remove it with XGROUP DESTROY",
                self._stream.group, self._stream.stream, hide(str(error)),
            )  # fmt: skip
            return self.happened()
        log.info("announcements on %s are not heard any more", self._stream.stream)
        over = Deregistered(time_us=now_us(), stream=self._stream.stream, group=self._stream.group)
        return [*self.happened(), over]

    def __enter__(self) -> Announcements:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def _end(self) -> None:
        self._ended.set()
        self._thread.join()

    def _go_on(self) -> None:
        while not self._ended.is_set():
            try:
                self._turn()
            except redis.RedisError as error:
                self._lost(error)

    def _turn(self) -> None:
        if not self._is_there:
            self._register()
        with self._lock:
            looked, self._looked = self._looked, []
        self._stream.acknowledge(looked)
        if found := self._stream.next(_BLOCK_S):
            self._want(found)

    def _register(self) -> None:
        is_new = self._stream.register()
        stream, group = self._stream.stream, self._stream.group
        if is_new or not self._was_there:
            with self._lock:
                self._happened.append(Registered(time_us=now_us(), stream=stream, group=group))
        if self._is_lost:
            log.info("announcements on %s are heard again", stream)
        else:
            log.info("announcements on %s are heard, as group %s", stream, group)
        self._is_there = self._was_there = True
        self._is_lost = False
        self._want([])

    def _want(self, found: Sequence[str]) -> None:
        with self._lock:
            self._waiting += found
            self._wanted = True
        with suppress(redis.RedisError):  # of the broker: the loop turns once a second in any case
            self._wake()

    def _lost(self, error: redis.RedisError) -> None:
        """Say so once, and try again soon; one that only forgot the group is there."""
        self._is_there = False
        if str(error).startswith(_FORGOTTEN) and not self._is_lost:
            log.warning(
                "! Redis has forgotten who hears announcements on %s; the run registers again", self._stream.stream
            )
            return
        if not self._is_lost:
            what = "are not heard" if will_pass(error) else "cannot be heard"
            log.warning(
                "! announcements on %s %s (%s); the run looks for new data by itself meanwhile",
                self._stream.stream, what, hide(str(error)),
            )  # fmt: skip
        self._is_lost = True
        self._ended.wait(_TRY_AGAIN_S)


def announcements_of(
    configuration: Configuration, broker_url: str, run_id: RunId, wake: Callable[[], object]
) -> AbstractContextManager[Announcements | None]:
    """Those that a run hears which follows its dataset; none under `mode: pull`. Raises NotReadyError."""
    notification, dataset = configuration.system.notification, configuration.pipeline.data.dataset
    if notification.mode == "pull":
        return nullcontext()
    name, group = notification.stream or names.announcements_key(dataset), names.announcements_group(run_id)
    client = connect_to_announcements(notification, broker_url)
    return Announcements(AnnouncedStream(client, name, group, dataset), wake)
