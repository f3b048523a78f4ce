"""Scores windows anew on some of their rows, in local processes: those of which runs scored other rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

import msgspec

from shared.errors import ModynError, NotReadyError
from shared.messages.rescore import Rescore, Rescored
from shared.messages.setup_record import SetupRecord
from shared.temporary import scratch_folder
from shared.words import counted
from supervisor.compare.code_folders import code_folders
from supervisor.compare.label_index import what_decides, write_label_index
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
    if find_spec("torch") is None:
        raise NotReadyError(
            f"{counted(len(wanted), 'window')} cannot be evaluated anew on the rows that all runs scored: "
            'PyTorch, which that needs, is not installed here. Install Modyn with its extra: pip install ".[worker]".'
        )
    answers: dict[int, Rescored] = {}
    with _with_labels(runs, wanted) as records:
        for folders, asked in _by_code(runs, wanted):
            count = min(processes or os.cpu_count() or 1, len(asked))
            with Rescorers(count, records, folders) as rescorers:
                for number, answer in rescorers.answers(asked):
                    if answer.error is not None:
                        raise NotReadyError(answer.error)
                    answers[number] = answer
                    progress(len(answers), len(wanted))
    return [answers[number] for number in range(len(wanted))]


def _by_code(
    runs: Sequence[RunToScore], wanted: Sequence[Rescore]
) -> Iterator[tuple[tuple[Path, ...], list[tuple[int, Rescore]]]]:
    """Requests with their numbers, by where modules are imported from: one process knows one of a name."""
    found: dict[tuple[Path, ...], list[tuple[int, Rescore]]] = {}
    folders = {number: code_folders(runs[number]) for number in {one.run for one in wanted}}
    for number, one in enumerate(wanted):
        found.setdefault(folders[one.run], []).append((number, one))
    yield from found.items()


@contextmanager
def _with_labels(runs: Sequence[RunToScore], wanted: Sequence[Rescore]) -> Iterator[list[SetupRecord]]:
    """The runs' records; where labels stand in a table of their own, with an index of them, for as long as it lasts."""
    last_keys: dict[int, int] = {}
    for one in wanted:
        last_keys[one.run] = max(last_keys.get(one.run, -1), one.ranges[-1].last_key)
    alike: dict[bytes, list[int]] = {}
    for number in last_keys:
        if runs[number].record.dataset.labels is not None:
            alike.setdefault(what_decides(runs[number]), []).append(number)
    records = [run.record for run in runs]
    with ExitStack() as stack:
        for numbers in alike.values():
            folder = stack.enter_context(scratch_folder("labels")) / "index"
            _write(runs[numbers[0]], max(last_keys[number] for number in numbers), folder)
            for number in numbers:
                records[number] = msgspec.structs.replace(records[number], labels_uri=str(folder))
        yield records


def _write(run: RunToScore, last_key: int, folder: Path) -> None:
    """Write the index. Raises NotReadyError with what is wrong with rows, labels or the place."""
    try:
        write_label_index(run, last_key, folder)
    except ModynError as error:
        why = str(error).replace("then --resume", "then compare again")
        raise NotReadyError(f"{run.folder}: its rows cannot be joined with their labels: {why}") from error
