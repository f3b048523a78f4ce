"""Local processes that score windows anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from shared.messages.rescore import Rescore, Rescored
from shared.messages.setup_record import SetupRecord
from supervisor.system.asked_pool import AskedPool, Wanted

_MODULE, _DOES = "workers.rescore", "evaluates windows anew"


class Rescorers:
    """So many processes; on leaving all are ended, whatever they do."""

    def __init__(self, count: int, records: Sequence[SetupRecord], folders: Sequence[Path]) -> None:
        """`folders`: where the user's own modules lie."""
        self._pool = AskedPool(count, _MODULE, folders, msgspec.json.encode(list(records)), _DOES)
        self._runs = [record.artifacts_uri for record in records]

    def __enter__(self) -> Rescorers:
        self._pool.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.__exit__()

    def answers(self, wanted: Sequence[tuple[int, Rescore]]) -> Iterator[tuple[int, Rescored]]:
        """(number, answer), as they come, of requests with these numbers. Raises NotReadyError if a process ends."""
        asked = (Wanted(number, msgspec.json.encode(one), self._about(one)) for number, one in wanted)
        for number, line in self._pool.answers(asked):
            yield number, msgspec.json.decode(line, type=Rescored)

    def _about(self, one: Rescore) -> str:
        """What sentences call it."""
        return f"{self._runs[one.run]}, window of trigger {one.trigger_id}"
