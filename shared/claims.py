"""Who may work on a task, and whose report counts: the claim protocol, each step one atomic Lua script.

A claim is a hash (see names.claim_key). All times are Redis's own. Redis may be wiped, or come back without what it
heard last: a claim that is absent, that an older attempt left, or that was only offered is no rival, and scripts write
it anew. A newer attempt refuses. The supervisor's journal is what judges a report in the end, by equality of attempts.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Any

import msgspec
import redis

from shared import names
from shared.ids import STAGES_OF_A_MODEL, RunId, TaskId, WorkerId, parts_of
from shared.messages.message import encode
from shared.messages.reports import AnyReport, Claimed, Released

_NOW_MS = "local t = redis.call('TIME'); local now = t[1] * 1000 + math.floor(t[2] / 1000);"

# A claim's fields, `mine` if this worker has this attempt, and `free` if nobody has it, or a newer one.
# ARGV task attempt owner
_STANDING = """
local c = redis.call('HMGET', KEYS[1], 'state', 'attempt', 'owner', 'result')
local known, wanted = tonumber(c[2] or 0), tonumber(ARGV[2])
local mine = c[1] == 'claimed' and known == wanted and c[3] == ARGV[3]
local free = known < wanted or (known == wanted and c[1] == 'offered')
"""

# A trigger that is settled needs no work: a message that lay in a queue meanwhile is a copy of one that was answered.
# KEYS claim leases reports settled · ARGV task attempt owner lease_ms ttl_ms report trigger
_CLAIM = (
    _NOW_MS
    + _STANDING
    + """
if ARGV[7] ~= '' and tonumber(ARGV[7]) < tonumber(redis.call('GET', KEYS[4]) or 0) then return {'superseded', ''} end
if known > wanted then return {'superseded', ''} end
if known == wanted and c[1] == 'done' then return {'done', c[4]} end
if not (mine or free or c[1] == 'released') then return {'busy', ''} end
redis.call('HSET', KEYS[1], 'state', 'claimed', 'attempt', ARGV[2], 'owner', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('HDEL', KEYS[1], 'result')
redis.call('ZADD', KEYS[2], now + ARGV[4], ARGV[1])
redis.call('XADD', KEYS[3], '*', 'report', ARGV[6], 'task', ARGV[1], 'attempt', ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
redis.call('PEXPIRE', KEYS[3], ARGV[5])
return {'ok', ''}
"""
)

# → 0 lost, 1 renewed, 2 renewed and to be handed back
# KEYS claim leases recall · ARGV task attempt owner lease_ms ttl_ms
_RENEW = (
    _NOW_MS
    + _STANDING
    + """
if not (mine or free) then return 0 end
redis.call('HSET', KEYS[1], 'state', 'claimed', 'attempt', ARGV[2], 'owner', ARGV[3])
redis.call('HDEL', KEYS[1], 'result')
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('ZADD', KEYS[2], now + ARGV[4], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return 1 + redis.call('EXISTS', KEYS[3])
"""
)

# Once more the same, because the first answer was lost, it is as good as the first time.
# KEYS claim leases reports · ARGV task attempt owner claim_ttl_ms result report state stream_ttl_ms
_REPORT = (
    _STANDING
    + """
if c[1] == ARGV[7] and known == wanted and c[3] == ARGV[3] then return 1 end
if not (mine or free) then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[7], 'attempt', ARGV[2], 'owner', ARGV[3], 'result', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('XADD', KEYS[3], '*', 'report', ARGV[6], 'task', ARGV[1], 'attempt', ARGV[2])
redis.call('PEXPIRE', KEYS[3], ARGV[8])
return 1
"""
)

# KEYS claim leases · ARGV task attempt ttl_ms
_OFFER = """
local c = redis.call('HMGET', KEYS[1], 'state', 'attempt')
if c[2] == ARGV[2] and (c[1] == 'claimed' or c[1] == 'done') then return 0 end
redis.call('HSET', KEYS[1], 'state', 'offered', 'attempt', ARGV[2])
redis.call('HDEL', KEYS[1], 'owner', 'result')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
"""

# No lease ends later than a lease from now: one that would was given before Redis's clock was set back.
# KEYS leases · ARGV lease_ms
_NOT_TOO_LATE = (
    _NOW_MS
    + """
local latest = now + ARGV[1]
for _, task in ipairs(redis.call('ZRANGE', KEYS[1], '(' .. string.format('%d', latest), '+inf', 'BYSCORE')) do
  redis.call('ZADD', KEYS[1], latest, task)
end
"""
)

# → tasks whose lease goes on
_LEASED = _NOT_TOO_LATE + "return redis.call('ZRANGE', KEYS[1], '(' .. string.format('%d', now), '+inf', 'BYSCORE')"

# → tasks whose lease has ended
_EXPIRED = _NOT_TOO_LATE + "return redis.call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE')"


class ClaimAnswer(StrEnum):
    """What a worker is told that wants to work on a task."""

    OK = "ok"  # it is yours
    BUSY = "busy"  # another worker has this very attempt (the same one may ask again: its first answer was lost)
    DONE = "done"  # it was reported before; the recorded result comes with the answer
    SUPERSEDED = "superseded"  # a newer attempt was published


class Renewal(IntEnum):
    """What a worker hears that prolongs its lease; only LOST is false."""

    LOST = 0  # the attempt is not its own any more
    RENEWED = 1
    RECALLED = 2  # renewed, for long enough to hand the task back: its run stops


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """Who may answer for a task: the number that the supervisor journaled, and the worker that took it."""

    run_id: RunId
    task_id: TaskId
    number: int
    worker: WorkerId


class Claims:
    """The claim protocol on one Redis. What changes a claim is one atomic round trip; all raise redis.RedisError."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._scripts = {
            name: client.register_script(text)
            for name, text in (
                ("claim", _CLAIM),
                ("renew", _RENEW),
                ("report", _REPORT),
                ("offer", _OFFER),
                ("expired", _EXPIRED),
                ("leased", _LEASED),
            )
        }

    def _run(self, script: str, keys: list[str], arguments: list[Any]) -> Any:
        return self._scripts[script](keys=keys, args=arguments)

    def claim(self, attempt: Attempt, lease_s: float) -> tuple[ClaimAnswer, Any]:
        """Ask for the attempt; on OK its lease runs and the supervisor is told. Second: the result, if DONE."""
        told = encode(Claimed(task_id=attempt.task_id, attempt=attempt.number, worker=attempt.worker))
        parts = parts_of(attempt.task_id)
        settles = parts.trigger_id if parts.stage in STAGES_OF_A_MODEL else ""
        arguments = [attempt.task_id, attempt.number, attempt.worker, round(lease_s * 1000), names.CLAIM_TTL_MS]
        keys = [*self._keys(attempt), names.settled_key(attempt.run_id)]
        answer, result = self._run("claim", keys, [*arguments, told, settles])
        return ClaimAnswer(answer), msgspec.json.decode(result) if result else None

    def renew(self, attempt: Attempt, lease_s: float) -> Renewal:
        """Prolong the lease by `lease_s` from now, if the attempt is still this worker's, and hear of a recall."""
        arguments = [attempt.task_id, attempt.number, attempt.worker, round(lease_s * 1000), names.CLAIM_TTL_MS]
        keys = [*self._keys(attempt)[:2], names.recall_key(attempt.run_id)]
        return Renewal(self._run("renew", keys, arguments))

    def report(self, attempt: Attempt, report: AnyReport, result: object) -> bool:
        """Record the result and tell the supervisor, both or neither; False if the attempt is not this worker's now."""
        state, ttl_ms = (
            ("released", names.CLAIM_TTL_MS) if isinstance(report, Released) else ("done", names.DONE_TTL_MS)
        )
        recorded = msgspec.json.encode(result).decode()
        arguments = [attempt.task_id, attempt.number, attempt.worker, ttl_ms, recorded]
        return bool(self._run("report", self._keys(attempt), [*arguments, encode(report), state, names.CLAIM_TTL_MS]))

    def offer(self, run_id: RunId, task_id: TaskId, number: int) -> None:
        """Make `number` the only attempt that may be claimed; what an earlier one recorded counts no more.

        Doing it again takes the attempt from nobody who has claimed it meanwhile.
        """
        keys = [names.claim_key(task_id), names.leases_key(run_id)]
        self._run("offer", keys, [task_id, number, names.CLAIM_TTL_MS])

    def recall(self, run_id: RunId) -> None:
        """Have the workers hand back what they do for a run that stops.

        Those that listen hear it at once, and others when they renew their lease.
        """
        pipe = self._client.pipeline(transaction=False)
        pipe.set(names.recall_key(run_id), "", px=names.CLAIM_TTL_MS)
        pipe.publish(names.RECALLS, run_id)
        pipe.execute()

    def settle(self, run_id: RunId, before: int) -> None:
        """No model of a trigger before this one is worked on any more: copies of their messages are worth nothing."""
        self._client.set(names.settled_key(run_id), before, px=names.CLAIM_TTL_MS)

    def expired(self, run_id: RunId, attempts: Mapping[TaskId, int], lease_s: float) -> list[TaskId]:
        """Those of these attempts whose worker let the lease end. O(leases)."""
        return self._among(self._run("expired", [names.leases_key(run_id)], [round(lease_s * 1000)]), attempts)

    def standing(self, run_id: RunId, attempts: Mapping[TaskId, int], lease_s: float) -> list[TaskId]:
        """Those of these attempts that a worker has claimed and still renews. O(leases)."""
        return self._among(self._run("leased", [names.leases_key(run_id)], [round(lease_s * 1000)]), attempts)

    def without_lease(self, run_id: RunId, attempts: Mapping[TaskId, int]) -> list[TaskId]:
        """Those of these attempts, all claimed once, that Redis knows of no lease of.

        They are done, or it has forgotten them, or came back with an older attempt.
        """
        pipe = self._client.pipeline(transaction=False)
        for task_id in attempts:
            pipe.zscore(names.leases_key(run_id), task_id)
            pipe.hmget(names.claim_key(task_id), "state", "attempt")
        answers = iter(pipe.execute())
        told = [(task_id, number, next(answers), next(answers)) for task_id, number in attempts.items()]
        return [task_id for task_id, number, lease, claim in told if lease is None or claim != ["claimed", str(number)]]

    def _among(self, tasks: list[TaskId], attempts: Mapping[TaskId, int]) -> list[TaskId]:
        return self._claimed([task_id for task_id in tasks if task_id in attempts], attempts)

    def _claimed(self, tasks: list[TaskId], attempts: Mapping[TaskId, int]) -> list[TaskId]:
        """The tasks whose claim is for the attempt named."""
        pipe = self._client.pipeline(transaction=False)
        for task_id in tasks:
            pipe.hmget(names.claim_key(task_id), "state", "attempt")
        wanted = [["claimed", str(attempts[task_id])] for task_id in tasks]
        return [task_id for task_id, claim, want in zip(tasks, pipe.execute(), wanted, strict=True) if claim == want]

    @staticmethod
    def _keys(attempt: Attempt) -> list[str]:
        return [
            names.claim_key(attempt.task_id),
            names.leases_key(attempt.run_id),
            names.reports_key(attempt.run_id),
        ]
