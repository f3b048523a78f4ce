"""Local processes that answer questions as workers would, without a broker: one question at a time each."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from queue import LifoQueue
from threading import Lock
from types import TracebackType
from typing import Any

import msgspec

from shared.errors import NotReadyError
from shared.messages.answered import Answered, Questioned
from shared.messages.setup_record import SetupRecord
from supervisor.system.asked_process import AskedProcess

_MODULE = "workers.questions"


class Answering:
    """A process begins when a question finds none that is free, up to `most`; all end with this context.

    Threads may ask side by side.
    """

    def __init__(self, records: Sequence[SetupRecord], folders: Sequence[Path], most: int) -> None:
        """`folders`: where the user's own modules lie."""
        self._records, self._folders = msgspec.json.encode(list(records)), folders
        self._free: LifoQueue[AskedProcess | None] = LifoQueue()
        for _ in range(most):
            self._free.put(None)  # room for one that has not begun
        self._begun: list[AskedProcess] = []
        self._lock, self._is_stopped = Lock(), False
        # A process ends with the thread that began it (PR_SET_PDEATHSIG), and threads that ask come and go.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="starts answering processes")

    def __enter__(self) -> Answering:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for process in self._begun:
            process.end()
        self._starter.shutdown()

    def stop(self) -> None:
        """Nothing is answered any more: threads that wait for an answer hear of that."""
        with self._lock:
            self._is_stopped = True
            for process in self._begun:
                process.kill()

    def refuse_stopped(self) -> None:
        """Raise NotReadyError once it was stopped."""
        if self._is_stopped:
            raise NotReadyError("what asks has been stopped")

    def answer(self, question: Questioned) -> dict[str, Any]:
        """Raises NotReadyError with why there is none."""
        process = self._free.get()
        try:
            process = process or self._started()
            answered = _asked(process, msgspec.json.encode(question))
        finally:
            self._free.put(process)
        if answered.error is not None:
            raise NotReadyError(answered.error)
        return answered.answer

    def _started(self) -> AskedProcess:
        if find_spec("torch") is None:
            raise NotReadyError(
                "the policy has a detector look at rows, and PyTorch, which detectors need, is not installed here. "
                'Install Modyn with its extra: pip install ".[worker]".'
            )
        process = self._starter.submit(AskedProcess, _MODULE, self._folders).result()
        with self._lock:
            self._begun.append(process)
            if self._is_stopped:
                process.kill()
        _tell(process, self._records)
        return process


def _asked(process: AskedProcess, line: bytes) -> Answered:
    _tell(process, line)
    found = process.answer()
    if found is None:
        raise _ended(process)
    return msgspec.json.decode(found, type=Answered)


def _tell(process: AskedProcess, line: bytes) -> None:
    try:
        process.tell(line)
    except BrokenPipeError:
        raise _ended(process) from None


def _ended(process: AskedProcess) -> NotReadyError:
    return NotReadyError(f"the process that answers the policy's questions ended with {process.how_it_ended()}")
