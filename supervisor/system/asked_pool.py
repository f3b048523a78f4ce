"""Local processes of one kind that are asked side by side: each for one thing at a time, no broker between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import NamedTuple, NoReturn

from shared.errors import NotReadyError
from supervisor.system.asked_process import AskedProcess


class Wanted(NamedTuple):
    """What one of them is asked."""

    number: int  # its answer has the same
    line: bytes
    about: str  # what sentences call it


class AskedPool:
    """So many processes; on leaving all are ended, whatever they do."""

    def __init__(self, count: int, module: str, folders: Sequence[Path], first: bytes, does: str) -> None:
        """`module`, `folders`: as of AskedProcess; `first`: the line that each is told first; `does`: what they do, as
        in `the process that evaluates windows anew`.
        """
        self._count, self._module, self._folders = count, module, folders
        self._first, self._does = first, does
        self._processes: list[_Asked] = []

    def __enter__(self) -> AskedPool:
        try:
            for _ in range(self._count):
                self._processes.append(_Asked(AskedProcess(self._module, self._folders), self._does))
            for one in self._processes:
                one.tell(self._first)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        for one in self._processes:
            one.end()

    def answers(self, wanted: Iterable[Wanted]) -> Iterator[tuple[int, bytes]]:
        """(number, answer), as they come. Raises NotReadyError if a process ends.

        Who does not take all of them asks these processes nothing more.
        """
        left = iter(wanted)
        with DefaultSelector() as waiting:
            for one in self._processes:
                one.ask(next(left, None))
                waiting.register(one.output, EVENT_READ, one)
            while any(one.asked for one in self._processes):
                for key, _ in waiting.select():
                    answer = key.data.answer()
                    key.data.ask(next(left, None))
                    yield answer


class _Asked:
    """One process."""

    def __init__(self, process: AskedProcess, does: str) -> None:
        self._process, self._does = process, does
        self.asked: Wanted | None = None
        self.output, self.end = process.output, process.end

    def ask(self, asked: Wanted | None) -> None:
        """Have it begin with something, if there is anything. Raises NotReadyError if it has ended."""
        self.asked = asked
        if asked is not None:
            self.tell(asked.line)

    def tell(self, line: bytes) -> None:
        """Write a line. Raises NotReadyError if it has ended."""
        try:
            self._process.tell(line)
        except BrokenPipeError:
            self._refuse()

    def answer(self) -> tuple[int, bytes]:
        """The number of what it was asked, and its answer. Raises NotReadyError if it has ended."""
        line = self._process.answer()
        if self.asked is None or line is None:
            self._refuse()
        return self.asked.number, line

    def _refuse(self) -> NoReturn:
        """Raise NotReadyError with how it ended, and the last that it said."""
        ended = f"{self._does} ended with {self._process.how_it_ended()}"
        if self.asked is None:
            raise NotReadyError(f"a process that {ended}")
        raise NotReadyError(f"{self.asked.about}: the process that {ended}")
