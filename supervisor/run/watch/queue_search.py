"""What stands in a Celery queue, as kombu writes it into Redis: a list of JSON messages, the next one last."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

import redis

from shared.ids import TaskId

# KEYS queue · ARGV task… → those that no message of the queue is for. It ends where all are found, from the oldest on.
_ABSENT = """
local wanted, left = {}, #ARGV
for _, task in ipairs(ARGV) do wanted[task] = true end
for last = redis.call('LLEN', KEYS[1]) - 1, 0, -256 do
  if left == 0 then break end
  for _, message in ipairs(redis.call('LRANGE', KEYS[1], math.max(0, last - 255), last)) do
    local task = string.match(message, '"id":%s*"(.-)"')
    if task and wanted[task] then
      wanted[task], left = nil, left - 1
    end
  end
end
local absent = {}
for task in pairs(wanted) do absent[#absent + 1] = task end
return absent
"""


def absent(client: redis.Redis, queue: str, tasks: Collection[TaskId]) -> set[TaskId]:
    """Those of these tasks that have no message in the queue. O(messages up to the last that is found)."""
    answer: Any = client.eval(_ABSENT, 1, queue, *tasks) if tasks else []
    return set(cast(list[TaskId], answer))
