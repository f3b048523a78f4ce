"""Who owns a run: one supervisor at a time, by a key in Redis that it renews.

The lock of a run directory keeps out a second supervisor on that directory, not one on a copy of it. The key's lease is
Redis's own. Each taking has a number of its own, its term, so that what a Redis which came back older says is known as
older: of two that believe to own the run, the later one stays, and the other ends when it next renews.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, cast

import msgspec
import redis

from shared import names
from shared.errors import RunTakenError
from shared.ids import RunId
from shared.processes import machine, started

log = logging.getLogger(__name__)

_RENEWALS_A_LEASE = 5
_ATTEMPTS_A_TERM = 1_000_000  # at one task

# Somebody else's key ends a lease from now at the latest, also if Redis's clock was set back.
# KEYS owner terms · ARGV token host pid started machine lease_ms ttl_ms gone → {1, term}, or {0, what is known}
_TAKE = """
local token = redis.call('HGET', KEYS[1], 'token')
if token and token ~= ARGV[1] and token ~= ARGV[8] then
  local lease = tonumber(redis.call('HGET', KEYS[1], 'lease_ms'))
  local left = redis.call('PTTL', KEYS[1])
  if left < 0 or left > lease then redis.call('PEXPIRE', KEYS[1], lease) end
  return {0, redis.call('HGETALL', KEYS[1])}
end
local term = redis.call('INCR', KEYS[2])
redis.call('PEXPIRE', KEYS[2], ARGV[7])
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'host', ARGV[2], 'pid', ARGV[3], 'started', ARGV[4],
  'machine', ARGV[5], 'lease_ms', ARGV[6], 'term', term, 'beat', 0)
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return {1, term}
"""

# A key that is free is taken up again, in a new term if another had it meanwhile; one of an earlier term is no rival.
# KEYS owner terms · ARGV token host pid started machine lease_ms ttl_ms term → {1, term}, or {0, what is known}
_RENEW = """
local c = redis.call('HMGET', KEYS[1], 'token', 'term')
local term, highest = tonumber(ARGV[8]), tonumber(redis.call('GET', KEYS[2]) or 0)
if c[1] and c[1] ~= ARGV[1] and tonumber(c[2]) >= term then return {0, redis.call('HGETALL', KEYS[1])} end
if c[1] == ARGV[1] then
  term = math.max(term, tonumber(c[2]))
elseif not c[1] and highest > term then
  term = highest + 1
end
redis.call('SET', KEYS[2], math.max(term, highest), 'PX', ARGV[7])
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'host', ARGV[2], 'pid', ARGV[3], 'started', ARGV[4],
  'machine', ARGV[5], 'lease_ms', ARGV[6], 'term', term)
redis.call('HINCRBY', KEYS[1], 'beat', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return {1, term}
"""

# KEYS owner · ARGV token
_LEAVE = "if redis.call('HGET', KEYS[1], 'token') == ARGV[1] then redis.call('DEL', KEYS[1]) end"


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who has a run, as Redis knows it."""

    token: str
    host: str
    pid: int
    started: str
    machine: str
    lease_ms: int
    beat: int  # one more with each renewal

    @property
    def is_here(self) -> bool:
        """Whether it is a process that this one would see."""
        return self.machine == machine()

    @property
    def is_gone(self) -> bool:
        """Whether it has certainly ended; of another machine's nobody here can tell."""
        return self.is_here and started(self.pid) != self.started


def holder_of(client: redis.Redis, run_id: RunId) -> Holder | None:
    """Who has a run now, None if nobody renews it; takes nothing. Raises redis.RedisError."""
    pairs = cast(dict[str, Any], client.hgetall(names.owner_key(run_id)))
    return msgspec.convert(pairs, Holder, strict=False) if pairs else None


class Owner:
    """This supervisor as the owner of a run. A context: taken and renewed inside it, left at its end."""

    def __init__(
        self, client: redis.Redis, run_id: RunId, lease_s: float, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._run_id = run_id
        self._lease_s = lease_s
        self._clock_s = clock_s
        self._keys = [names.owner_key(run_id), names.owner_terms_key(run_id)]
        self.token = uuid.uuid4().hex
        self._term = 0
        self._renewed_s = -lease_s
        self._taken: RunTakenError | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="owner", daemon=True)
        self._scripts = {
            name: client.register_script(text) for name, text in (("take", _TAKE), ("renew", _RENEW), ("leave", _LEAVE))
        }

    @property
    def attempts_above(self) -> int:
        """What no session of another term numbers its attempts with, whatever part of the journal it knows."""
        return (self._term - 1) * _ATTEMPTS_A_TERM

    @property
    def is_lost(self) -> bool:
        """Whether another supervisor has the run now."""
        return self._taken is not None

    def take(self) -> None:
        """Become the owner. One on this machine whose process is gone is replaced; of another's the lease is awaited.

        Raises RunTakenError if somebody owns the run and is alive, and redis.RedisError.
        """
        gone, seen = "", None
        while (holder := self._ask("take", gone)) is not None:
            if holder.is_gone:
                gone = holder.token
                continue
            beat = (holder.token, holder.beat)
            if holder.is_here or beat != (seen or beat):
                raise self._taken_by(holder)
            if seen is None:
                log.warning(
                    "! run %s belongs to process %d on %s; waiting for its lease of %.0f s to end",
                    self._run_id, holder.pid, holder.host, holder.lease_ms / 1000,
                )  # fmt: skip
            seen = beat
            time.sleep(holder.lease_ms / 1000 / _RENEWALS_A_LEASE)

    def renew(self) -> None:
        """Own the run for a lease from now. Raises RunTakenError if another has it meanwhile, and redis.RedisError."""
        self.check()
        holder = self._ask("renew", self._term)
        if holder is not None and holder.is_gone:  # an old entry
            holder = self._ask("take", holder.token)
        if holder is not None:
            self._taken = self._taken_by(holder)
        self.check()

    def check(self) -> None:
        """Raise RunTakenError if it is known that another has the run."""
        if self._taken is not None:
            raise self._taken

    def confirm(self) -> None:
        """Check, and ask Redis if nobody has for a lease, as this process or the broker stood still.

        Raises RunTakenError and redis.RedisError.
        """
        self.check()
        if self._clock_s() - self._renewed_s > self._lease_s:
            self.renew()

    def leave(self) -> None:
        """Own the run no more. Raises redis.RedisError."""
        self._scripts["leave"](keys=self._keys[:1], args=[self.token])

    def _ask(self, script: str, last: str | int) -> Holder | None:
        """Who has the run, None if that is this supervisor now."""
        asked_s = self._clock_s()
        who: list[Any] = [self.token, socket.gethostname(), os.getpid(), started(os.getpid()) or "", machine()]
        times = [round(self._lease_s * 1000), names.CLAIM_TTL_MS]
        is_mine, told = self._scripts[script](keys=self._keys, args=[*who, *times, last])
        if is_mine:
            self._term, self._renewed_s = int(told), asked_s
            return None
        pairs: dict[str, Any] = dict(zip(told[::2], told[1::2], strict=True))
        return msgspec.convert(pairs, Holder, strict=False)

    def _taken_by(self, holder: Holder) -> RunTakenError:
        return RunTakenError(
            f"another supervisor, process {holder.pid} on {holder.host}, is working on run {self._run_id}; "
            "stop it first, or leave the run to it."
        )

    def _go_on(self) -> None:
        while not self._ended.wait(self._lease_s / _RENEWALS_A_LEASE):
            try:
                self.renew()
            except redis.RedisError:
                continue
            except RunTakenError:
                return

    def __enter__(self) -> Owner:
        self.take()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()  # else it might take up again what is left here
        with suppress(redis.RedisError):  # then the lease ends by itself
            self.leave()
