"""Shows in Redis which files a run does not read, while it lives: `fleet` looks there, as it reads no journal."""

from __future__ import annotations

import time
from typing import cast

import msgspec
import redis

from shared import names
from shared.ids import RunId
from supervisor.core.notices import Listener, RunEnded, Told
from supervisor.core.seen import Unread
from supervisor.core.state import RunState
from supervisor.run.broker import AWAY

_RENEWALS = 3  # while what was written lasts


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """What a run shows."""

    run_id: RunId
    dataset: str
    unread: Unread


class UnreadBoard(Listener):
    """Writes what there is to be shown, renews it, and takes it away."""

    def __init__(self, client: redis.Redis, run_id: RunId, dataset: str) -> None:
        self._client, self._run_id, self._dataset = client, run_id, dataset
        self._shown = Unread()
        self._next_s = 0.0

    def hear(self, told: Told) -> None:
        """Nobody looks at the files of a run that is over."""
        if isinstance(told, RunEnded):
            self._show(Unread())

    def turn(self, state: RunState, rows: int) -> None:
        """Write what has changed, and now and then what has not."""
        due = bool(state.unread.files) and time.monotonic() >= self._next_s
        if due or state.unread != self._shown:
            self._show(state.unread)

    def _show(self, unread: Unread) -> None:
        key = names.unread_key(self._run_id)
        posted = Posted(run_id=self._run_id, dataset=self._dataset, unread=unread)
        try:
            if unread.files:
                self._client.set(key, msgspec.json.encode(posted), px=names.UNREAD_TTL_MS)
                self._client.sadd(names.UNREAD_KEY, self._run_id)
            elif self._shown.files:
                self._client.delete(key)
                self._client.srem(names.UNREAD_KEY, self._run_id)
        except AWAY:  # shown at a later turn
            return
        self._shown, self._next_s = unread, time.monotonic() + names.UNREAD_TTL_MS / 1000 / _RENEWALS


def read_boards(client: redis.Redis) -> list[Posted]:
    """What all runs show that are alive. Raises redis.RedisError."""
    runs = sorted(cast(set[str], client.smembers(names.UNREAD_KEY)))
    bodies = cast(list[str | None], client.mget([names.unread_key(RunId(run)) for run in runs])) if runs else []
    gone = [run for run, body in zip(runs, bodies, strict=True) if body is None]
    if gone:
        client.srem(names.UNREAD_KEY, *gone)
    return [one for one in map(_posted, bodies) if one is not None]


def _posted(body: str | None) -> Posted | None:
    """None for what is gone, or what a supervisor of another version wrote in another shape."""
    try:
        return None if body is None else msgspec.json.decode(body, type=Posted)
    except msgspec.MsgspecError:
        return None
