"""Scores windows anew on some of their rows, in local processes: those of which runs scored other rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from shared.errors import NotReadyError
from shared.messages.rescore import Rescore, Rescored
from shared.messages.setup_record import SetupRecord
from shared.words import counted
from supervisor.compare.asking_models import by_code, require_torch, with_labels
from supervisor.compare.rescorers import Rescorers
from supervisor.compare.run_to_score import RunToScore

Progress = Callable[[int, int], None]  # so many are done, of so many


def score_anew(
    runs: Sequence[RunToScore], wanted: Sequence[Rescore], progress: Progress, *, processes: int | None = None
) -> list[Rescored]:
    """The answers to requests, whose numbers of runs are places in `runs`, in their order.

    `processes`: as many as this machine has processors, and no more than there are requests, where it is None. Raises
    NotReadyError with what cannot be scored, or why nothing can.
    """
    if not wanted:
        return []
    last_keys: dict[int, int] = {}
    for one in wanted:
        last_keys[one.run] = max(last_keys.get(one.run, -1), one.ranges[-1].last_key)
    with Anew(runs, last_keys, min(processes or os.cpu_count() or 1, len(wanted))) as anew:
        return anew.scores(wanted, progress)


class Anew:
    """Processes that score windows of runs anew, from the first request on until this context is left."""

    def __init__(self, runs: Sequence[RunToScore], last_keys: Mapping[int, int], processes: int) -> None:
        """`last_keys`: run → the last row of it that any request names, for those that requests name."""
        self._runs, self._last_keys, self._processes = runs, last_keys, processes
        self._stack, self._rescorers = ExitStack(), dict[tuple[Path, ...], Rescorers]()
        self._records: list[SetupRecord] = []

    def __enter__(self) -> Anew:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def scores(self, wanted: Sequence[Rescore], progress: Progress) -> list[Rescored]:
        """The answers, in the order of requests. Raises NotReadyError with what cannot be scored, or why."""
        require_torch(f"{counted(len(wanted), 'window')} cannot be evaluated anew")
        if not self._records:
            self._records = self._stack.enter_context(with_labels(self._runs, self._last_keys))
        answers: dict[int, Rescored] = {}
        for folders, numbers in by_code(self._runs, [one.run for one in wanted]):
            for number, answer in self._of(folders).answers([(number, wanted[number]) for number in numbers]):
                if answer.error is not None:
                    raise NotReadyError(answer.error)
                answers[number] = answer
                progress(len(answers), len(wanted))
        return [answers[number] for number in range(len(wanted))]

    def _of(self, folders: tuple[Path, ...]) -> Rescorers:
        """The processes that import from there."""
        if folders not in self._rescorers:
            rescorers = Rescorers(self._processes, self._records, folders)
            self._rescorers[folders] = self._stack.enter_context(rescorers)
        return self._rescorers[folders]
