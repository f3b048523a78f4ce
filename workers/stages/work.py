"""The work at hand: the task, the run's setup, what its headers returned, and the process that does it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import redis

from shared.artifacts import ArtifactStore
from shared.claims import Attempt
from shared.config.system import Dataset
from shared.dataset.labels_table import labels_name
from shared.dataset.manifest import ManifestEntry, entries_up_to, read_manifest
from shared.dataset.remembering import Memory, RememberingDataset
from shared.dataset.table import ROWS_AT_ONCE, TableDataset
from shared.errors import DataError
from shared.labels.coverage import covered
from shared.labels.index import LabelIndex
from shared.messages.setup_record import SetupRecord
from shared.messages.tasks import AnyTask, BaselineTask, DecideTask, DetectTask, EvaluateTask, SelectTask, TrainTask
from workers.features.class_names import LaterClasses
from workers.features.columns import Keys
from workers.features.labelled_rows import AnyLabels, KnownLabels, LabelledRows, LabelSource
from workers.going_on import Interrupted
from workers.measured import Measurements
from workers.shelf import Shelf

_PATIENCE_S = 30.0  # with a file system that shows later what another machine has written
_TRY_AGAIN_S = 0.1


class Process(Protocol):
    """What a task must know of the process that does it."""

    @property
    def device(self) -> str:
        """Of this worker: `cpu`, `cuda:0` …"""

    @property
    def shelf(self) -> Shelf:
        """Models that were loaded before."""

    @property
    def later_classes(self) -> LaterClasses:
        """The labels that it has met."""

    @property
    def rows(self) -> Memory | None:
        """What it remembers of datasets; None: nothing."""

    @property
    def measured(self) -> Measurements:
        """What it counts of its work."""

    @property
    def client(self) -> redis.Redis:
        """Its connection to Redis."""

    def should_stop(self) -> bool:
        """To be called wherever work goes on for long: whether the task is to be handed back."""


class _WatchedDataset(RememberingDataset):
    """Says that the work goes on, and looks whether it is to be handed back, with every piece that is read."""

    def __init__(
        self,
        config: Dataset,
        entries: Sequence[ManifestEntry],
        *,
        memory: Memory | None,
        should_stop: Callable[[], bool],
    ) -> None:
        super().__init__(config, entries, memory=memory)
        self._should_stop = should_stop

    def batches(
        self, columns: Sequence[str], first_key: int, stop_key: int, batch_rows: int = ROWS_AT_ONCE
    ) -> Iterator[tuple[int, pa.Table]]:
        with _reading(self.config.name):
            for piece in super().batches(columns, first_key, stop_key, batch_rows):
                self._go_on()
                yield piece

    def announced(self, first_key: int, stop_key: int, batch_rows: int = ROWS_AT_ONCE) -> Iterator[Keys]:
        with _reading(self.config.name):
            for keys in super().announced(first_key, stop_key, batch_rows):
                self._go_on()
                yield keys

    def _go_on(self) -> None:
        if self._should_stop():
            raise Interrupted("stopped while rows were being read")


class _WatchedLabelledRows(LabelledRows, _WatchedDataset):
    """The same of rows whose labels stand in a table of their own."""


@contextmanager
def _reading(dataset: str) -> Iterator[None]:
    """Tell what the disk or the store of a dataset answers from what somebody's own code raises. Raises DataError."""
    try:
        yield
    except OSError as error:
        raise DataError(f"dataset {dataset} cannot be read: {error}. Mend that, then --resume.") from error


@dataclass(frozen=True, kw_only=True)
class Work:
    """One attempt at one task."""

    task: AnyTask
    record: SetupRecord
    attempt: Attempt
    results: list[Any]  # of its headers, for a chord's body
    child: Process  # the process that does it

    @property
    def who(self) -> dict[str, Any]:
        """What every report of this attempt begins with."""
        return {"task_id": self.attempt.task_id, "attempt": self.attempt.number, "worker": self.attempt.worker}

    @property
    def attempt_name(self) -> str:
        """Unique among all attempts, so that no two write the same object: its number, and the worker's own hex."""
        return f"{self.attempt.number}-{self.attempt.worker[-12:]}"

    def dataset(self) -> TableDataset:
        """The dataset as far as the manifest reaches now; reading it can be interrupted.

        Raises DataError if it does not reach to all that the task names. One that names no rows takes what there is:
        where a run is only validated, a worker on another machine finds no manifest.
        """
        with _reading(self.record.dataset.name):
            path, last_key = Path(self.record.manifest_uri), _last_key(self.task)
            entries = read_manifest(path) if last_key is None else entries_up_to(last_key, path)
            watched: dict[str, Any] = {"should_stop": self.child.should_stop, "memory": self.child.rows}
            if self.record.dataset.labels is None:
                return _WatchedDataset(self.record.dataset, entries, **watched)
            return _WatchedLabelledRows(self.record.dataset, entries, labels=self._labels(path), **watched)

    @property
    def label_index(self) -> LabelIndex | None:
        """Where labels are that stand in a table of their own; None: they stand in the rows. Raises ArtifactError."""
        if self.record.labels_uri is None or self.task.labels is None:
            return None
        self._await_labels(Path(self.record.labels_uri), self.task.labels.position)
        return LabelIndex(self.record.labels_uri)

    def _await_labels(self, index: Path, position: int | None) -> None:
        """What the supervisor has written may be seen later on another machine. Raises DataError if it is not."""
        named_key, give_up_s = _last_key(self.task), time.monotonic() + _PATIENCE_S
        last_key = -1 if named_key is None else named_key
        while not (seen := covered(index)).reaches(last_key, position):
            if self.child.should_stop():
                raise Interrupted("stopped while labels were waited for")
            if time.monotonic() > give_up_s:
                raise DataError(
                    f"the index of labels {index} reaches to row {seen.last_row} and {seen.positions} labels as this "
                    f"machine sees it, and row {last_key} and {position or 0} labels are needed. All machines must see "
                    "the run directory alike; mend that, then --resume."
                )
            time.sleep(_TRY_AGAIN_S)

    def _labels(self, manifest: Path) -> LabelSource:
        """As of the moment that the task names; one that names none tries out whichever there are."""
        index = self.label_index
        if index is not None and self.task.labels is not None:
            return KnownLabels(index, self.task.labels)
        name = labels_name(self.record.dataset.name)
        return AnyLabels(self.record.dataset, read_manifest(manifest.with_name(f"{name}{manifest.suffix}")))

    @property
    def store(self) -> ArtifactStore:
        """Where the objects of this run lie."""
        return ArtifactStore(self.record.artifacts_uri)

    def seed(self, *of: object) -> int:
        """The pipeline's seed, made that of what is told alone, whoever asks for it; the same on every machine."""
        text = "/".join(map(str, (self.record.pipeline.training.seed, *of)))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def _last_key(task: AnyTask) -> int | None:
    """The last row that a task names, None if it names none."""
    match task:
        case SelectTask() | TrainTask():
            return task.trigger_key
        case BaselineTask():
            return task.last_key
        case DetectTask():
            return task.key
        case EvaluateTask():
            return max((stretch.last_key for stretch in task.stretches), default=None)
        case DecideTask():
            return task.gate.last_key if task.gate else None
        case _:
            return None
