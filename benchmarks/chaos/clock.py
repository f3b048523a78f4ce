"""Redis's clock is set back while it holds leases and streams.

No server's clock can be set without that of every process on the machine, so the jump is made from the other side:
every moment that Redis holds (the ends of leases and of keys, the newest place in each stream) is moved on by its
length. So a clock that was set back looks to all who ask Redis. Not to one who remembers an earlier answer to TIME.
"""

from __future__ import annotations

import redis

from shared import names
from shared.ids import RunId

MS_PER_S = 1000

# ARGV jump_ms, pattern of the keys that hold leases
_MOVE_ON = """
local jump = tonumber(ARGV[1])
local function newest(stream)
  local about = redis.call('XINFO', 'STREAM', stream)
  for i = 1, #about, 2 do
    if about[i] == 'last-generated-id' then return tonumber(string.match(about[i + 1], '^%d+')) end
  end
end
for _, key in ipairs(redis.call('KEYS', '*')) do
  local left = redis.call('PTTL', key)
  if left > 0 then redis.call('PEXPIRE', key, left + jump) end
  if redis.call('TYPE', key).ok == 'stream' then
    local place = string.format('%.0f-0', newest(key) + jump)
    redis.call('XADD', key, place, 'report', '')
    redis.call('XDEL', key, place)
  end
end
for _, key in ipairs(redis.call('KEYS', ARGV[2])) do
  local held = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  for i = 1, #held, 2 do redis.call('ZADD', key, held[i + 1] + jump, held[i]) end
end
"""


def set_back(client: redis.Redis, jump_s: float) -> None:
    """Let all that Redis holds lie `jump_s` further in the future, in one step. Raises redis.RedisError."""
    client.eval(_MOVE_ON, 0, str(round(jump_s * MS_PER_S)), names.leases_key(RunId("*")))
