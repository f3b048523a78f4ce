"""Local processes that score windows anew: each is asked for one at a time, and all end with whoever started them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import NoReturn

import msgspec

from shared.errors import NotReadyError
from shared.messages.rescore import Rescore, Rescored
from shared.messages.setup_record import SetupRecord
from supervisor.system.asked_process import AskedProcess


class Rescorers:
    """So many processes; on leaving all are ended, whatever they do."""

    def __init__(self, count: int, records: Sequence[SetupRecord], folders: Sequence[Path]) -> None:
        """`folders`: where the user's own modules lie."""
        self._lines, self._folders = msgspec.json.encode(list(records)), folders
        self._runs = [record.artifacts_uri for record in records]
        self._processes: list[_Rescorer] = []
        self._count = count

    def __enter__(self) -> Rescorers:
        try:
            for _ in range(self._count):
                self._processes.append(_Rescorer(self._folders, self._runs))
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        for one in self._processes:
            one.end()

    def answers(self, wanted: Sequence[tuple[int, Rescore]]) -> Iterator[tuple[int, Rescored]]:
        """(number, answer), as they come, of requests with these numbers. Raises NotReadyError if a process ends."""
        left = iter(wanted)
        with DefaultSelector() as waiting:
            for one in self._processes:
                one.tell(self._lines)
                one.ask(next(left, None))
                waiting.register(one.output, EVENT_READ, one)
            while any(one.asked for one in self._processes):
                for key, _ in waiting.select():
                    answer = key.data.answer()
                    key.data.ask(next(left, None))
                    yield answer


class _Rescorer:
    """One process."""

    def __init__(self, folders: Sequence[Path], runs: Sequence[str]) -> None:
        """`runs`: what sentences call them."""
        self._runs = runs
        self.asked: tuple[int, Rescore] | None = None
        self._process = AskedProcess("workers.rescore", folders)
        self.output, self.end = self._process.output, self._process.end

    def ask(self, asked: tuple[int, Rescore] | None) -> None:
        """Have it begin with a request, if there is one. Raises NotReadyError if it has ended."""
        self.asked = asked
        if asked is not None:
            self.tell(msgspec.json.encode(asked[1]))

    def tell(self, line: bytes) -> None:
        """Write a line. Raises NotReadyError if it has ended."""
        try:
            self._process.tell(line)
        except BrokenPipeError:
            self._refuse()

    def answer(self) -> tuple[int, Rescored]:
        """The number of what it was asked, and its answer. Raises NotReadyError if it has ended."""
        line = self._process.answer()
        if self.asked is None or line is None:
            self._refuse()
        return self.asked[0], msgspec.json.decode(line, type=Rescored)

    def _refuse(self) -> NoReturn:
        """Raise NotReadyError with how it ended, and the last that it said."""
        ended = f"evaluates windows anew ended with {self._process.how_it_ended()}"
        if self.asked is None:
            raise NotReadyError(f"a process that {ended}")
        wanted = self.asked[1]
        raise NotReadyError(
            f"{self._runs[wanted.run]}, window of trigger {wanted.trigger_id}: the process that {ended}"
        )
