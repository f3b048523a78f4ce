"""The stream on which producers announce new data, as one run reads it: by a consumer group of its own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, cast

import redis

from shared import names

_AT_ONCE = 10_000
_MOST = 1_000_000  # announcements that one look is for
_MORE_S = 0.02  # who announces many files at once announces the next one meanwhile
_LONGEST_S = 1.0  # but a look is not put off for longer
_NOT_READ = "0"  # from the first on that was handed out, and not acknowledged
_NEW = ">"


class AnnouncedStream:
    """At least once: what was handed out is handed out again, after a crash, until it is acknowledged.

    All methods raise redis.RedisError.
    """

    def __init__(self, client: redis.Redis, stream: str, group: str, dataset: str) -> None:
        self._client, self.stream, self.group, self._dataset = client, stream, group, dataset
        self._from = _NOT_READ

    def register(self) -> bool:
        """Have the stream, and the group, from now on; whether there was none."""
        self._from = _NOT_READ
        try:
            self._client.xgroup_create(self.stream, self.group, id="$", mkstream=True)
        except redis.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
            return False
        return True

    def next(self, block_s: float) -> list[str]:
        """The ids of announcements of this dataset, waiting for up to `block_s` for the first.

        Those that come together are taken together. What is announced of another dataset is acknowledged at once.
        """
        ours: list[str] = []
        others: list[str] = []
        found, give_up_s = self._read(block_s), time.monotonic() + _LONGEST_S
        while found:
            for one, fields in found:
                (ours if self._may_mean_ours(fields) else others).append(one)
            if len(found) < _AT_ONCE:  # else they are there already
                if time.monotonic() > give_up_s:
                    break
                time.sleep(_MORE_S)
            found = self._read(0.0) if len(ours) < _MOST else []
        self.acknowledge(others)
        return ours

    def _read(self, block_s: float) -> list[tuple[str, dict[str, str]]]:
        """What was handed out before a crash comes first, and is not waited for."""
        group, consumer = self.group, names.ANNOUNCEMENTS_CONSUMER
        wanted = cast(Any, {self.stream: self._from})
        block_ms = round(block_s * 1000) or None
        answer = cast(Any, self._client.xreadgroup(group, consumer, wanted, count=_AT_ONCE, block=block_ms))
        found = _entries_in(answer)
        if self._from == _NEW:
            return found
        self._from = found[-1][0] if found else _NEW
        return found or self._read(block_s)

    def _may_mean_ours(self, fields: dict[str, str] | None) -> bool:
        """Also if it names no dataset, or was trimmed since it was handed out."""
        return (fields or {}).get("dataset", self._dataset) == self._dataset

    def acknowledge(self, ids: Sequence[str]) -> None:
        """These are not handed out again."""
        for start in range(0, len(ids), _AT_ONCE):
            self._client.xack(self.stream, self.group, *ids[start : start + _AT_ONCE])

    def leave(self) -> None:
        """Be told nothing more: no group, and nothing that is handed out."""
        self._client.xgroup_destroy(self.stream, self.group)


def _entries_in(answer: Any) -> list[tuple[str, dict[str, str]]]:
    """Of the one stream that was asked for, as either protocol of Redis has it."""
    if not answer:
        return []
    found: list[tuple[str, dict[str, str]]]
    found = next(iter(answer.values()))[0] if isinstance(answer, dict) else answer[0][1]
    return found
