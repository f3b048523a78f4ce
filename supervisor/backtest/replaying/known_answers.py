"""Answers about the models of a grid: each question is asked once, whoever asks it, and in whichever replay."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock
from typing import Any

from supervisor.backtest.replaying.same_question import SameQuestion

Answer = dict[str, Any]


class KnownAnswers:
    """Threads may ask side by side; who asks what is being asked waits for that answer."""

    def __init__(self) -> None:
        self._answers: dict[tuple[int, bytes], Future[Answer]] = {}
        self._lock = Lock()
        self.asked = 0  # questions; others were known

    def of(self, run: int, question: SameQuestion, ask: Callable[[], Answer]) -> Answer:
        """That which is known of a question to a model of this run, or else what `ask` gives. Raises what that does."""
        key = run, question.key
        with self._lock:
            known = self._answers.get(key)
            if known is None:
                mine = self._answers[key] = Future()
                self.asked += 1
        if known is not None:
            return question.of(known.result())
        try:
            mine.set_result(ask())
        except BaseException as error:
            mine.set_exception(error)
            raise
        return question.of(mine.result())
