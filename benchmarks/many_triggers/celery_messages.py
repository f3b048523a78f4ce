"""Celery's messages as they lie in Redis, without Celery: taken off a queue, and the body of a chord put onto one."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import redis

_WAIT_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One message."""

    envelope: dict[str, Any]
    arguments: list[Any]
    keywords: dict[str, Any]
    chord: dict[str, Any] | None  # the signature of the body that waits for this header

    @property
    def task(self) -> str:
        """The Celery name of the task."""
        return str(self.envelope["headers"]["task"])

    @property
    def task_id(self) -> str:
        """The id that its supervisor gave it."""
        return str(self.envelope["headers"]["id"])


def take(client: redis.Redis, queues: Sequence[str]) -> Delivery | None:
    """The next message, of the first queue that has one; None after a while without any."""
    found = cast(tuple[str, str] | None, client.brpop(list(queues), timeout=_WAIT_S))
    if found is None:
        return None
    envelope = json.loads(found[1])
    arguments, keywords, embedded = json.loads(base64.b64decode(envelope["body"]))
    return Delivery(envelope=envelope, arguments=arguments, keywords=keywords, chord=embedded["chord"])


def return_to_chord(client: redis.Redis, header: Delivery, result: Any) -> None:
    """What Celery does when a header returns: count it, and send the body with all results when it was the last."""
    if header.chord is None:
        return
    about = header.envelope["headers"]
    returned, size = (f"celery-taskset-meta-{about['group']}{ending}" for ending in (".j", ".s"))
    index = about["group_index"]
    pipe = client.pipeline()
    pipe.zadd(returned, {json.dumps([index, result]): index})
    pipe.get(size)
    pipe.zrange(returned, 0, -1)
    _, wanted, members = pipe.execute()
    if len(members) == int(wanted or 0):
        results = [json.loads(member)[1] for member in members]
        pipe.delete(returned, size)
        pipe.lpush(header.chord["options"]["queue"], json.dumps(_body(header, results)))
        pipe.execute()


def _body(header: Delivery, results: list[Any]) -> dict[str, Any]:
    """The message of a chord's body, in the envelope that its last header came in."""
    assert header.chord is not None
    options = header.chord["options"]
    content = [[results, *header.chord["args"]], header.chord["kwargs"], {"chord": None}]
    about = {"task": header.chord["task"], "id": options["task_id"], "group": None, "group_index": None}
    return header.envelope | {
        "headers": header.envelope["headers"] | about,
        "body": base64.b64encode(json.dumps(content).encode()).decode(),
    }
