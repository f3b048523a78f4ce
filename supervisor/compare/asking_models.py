"""What local processes need that ask models of runs: the user's own modules, labels of tables, and PyTorch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

import msgspec

from shared.errors import ModynError, NotReadyError
from shared.messages.setup_record import SetupRecord
from shared.temporary import scratch_folder
from supervisor.compare.code_folders import code_folders
from supervisor.compare.label_index import what_decides, write_label_index
from supervisor.compare.run_to_score import RunToScore


def require_torch(what: str) -> None:
    """Raise NotReadyError where PyTorch is not installed; `what`: is not to be had then, the start of a sentence."""
    if find_spec("torch") is None:
        raise NotReadyError(
            f"{what}: PyTorch, which that needs, is not installed here. "
            'Install Modyn with its extra: pip install ".[worker]".'
        )


def by_code(runs: Sequence[RunToScore], asked: Sequence[int]) -> Iterator[tuple[tuple[Path, ...], list[int]]]:
    """The places in `asked`, which are numbers of runs, by where modules are imported from: a process knows one of a
    name.
    """
    found: dict[tuple[Path, ...], list[int]] = {}
    folders = {number: code_folders(runs[number]) for number in set(asked)}
    for place, run in enumerate(asked):
        found.setdefault(folders[run], []).append(place)
    yield from found.items()


@contextmanager
def with_labels(runs: Sequence[RunToScore], last_keys: Mapping[int, int]) -> Iterator[list[SetupRecord]]:
    """The runs' records; where labels stand in a table of their own, with an index of them, for as long as it lasts.

    `last_keys`: run → how far the index must reach, for the runs that need one.
    """
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
        why = str(error).replace("then --resume", "then try again")
        raise NotReadyError(f"{run.folder}: its rows cannot be joined with their labels: {why}") from error
