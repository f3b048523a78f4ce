"""The first events of a run: which rows it follows, and what it trains on before it follows any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from shared.config.pipeline import Pipeline
from shared.dataset.event_time import begin_us, first_key_after, sound_timestamps_us
from shared.dataset.manifest import ManifestEntry
from shared.dataset.table import TableDataset
from shared.dataset.time_problems import time_problems
from shared.errors import ConfigurationError, NotReadyError
from shared.ids import TriggerId
from shared.messages.setup_record import SetupRecord
from shared.messages.tasks import Device
from shared.temporary import scratch_folder
from shared.timestamps import format_timestamp, now_us
from supervisor.core.events import AnyEvent, Discovered, LabelsDiscovered, RunStarted
from supervisor.core.seen import Fired
from supervisor.core.state import RunState
from supervisor.core.stream import LabelFind
from supervisor.run.observe.label_files import LabelFiles
from supervisor.run.observe.labelling import hear_rows, labelling_of
from supervisor.run.observe.table_labelling import InATable
from supervisor.system.unread import Telling

_ROWS_AT_ONCE = 1_000_000


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says of the stream."""

    experiment: bool
    start_replay_us: int | None = None  # first event time followed
    stop_replay_us: int | None = None  # first event time not followed any more
    maximum_triggers: int | None = None
    deploy: bool = False  # an experiment, too, deploys to the targets

    @property
    def serves(self) -> bool:
        """Whether what the run deploys is used by others: an experiment only rehearses, unless it is told to deploy."""
        return self.deploy or not self.experiment


class Recorded(NamedTuple):
    """What is there when a run begins."""

    rows: TableDataset
    labels: TableDataset | None = None  # the table of labels; None: they stand in the rows


def first_events(
    pipeline: Pipeline,
    scope: Scope,
    recorded: Recorded,
    setup: SetupRecord,
    evaluation_device: Device,
    code: dict[str, str],
) -> list[AnyEvent]:
    """The files, and the start of the run: with `train_on_everything` also its first trigger.

    Raises ConfigurationError for a replay of nothing, NotReadyError where no row has a time it can have, and DataError.
    """
    (dataset, labels), mode = recorded, pipeline.initial_mode
    if (scope.experiment or mode == "train_on_everything") and dataset.rows and begin_us(dataset, 0) is None:
        raise NotReadyError(*time_problems(dataset))  # whoever follows the dataset waits for such a row
    first_key, stop_key = _followed(mode, scope, dataset)
    started = RunStarted(
        time_us=now_us(),
        run_id=setup.run_id,
        mode="experiment" if scope.experiment else "production",
        first_key=first_key,
        stop_key=stop_key,
        everything=_over_everything(pipeline, dataset, labels) if mode == "train_on_everything" else None,
        maximum_triggers=scope.maximum_triggers,
        labels_position=None if labels is None else labels.rows,
        serves=scope.serves,
        evaluation_device=evaluation_device,
        setup_version=setup.version,
        code=code,
    )
    # The first line makes a run: cut off after it, a run goes on; before it, none had begun.
    rows = Discovered(time_us=now_us(), entries=dataset.entries)
    return [started, rows, *_first_labels(started, () if labels is None else labels.entries)]


def _followed(mode: str, scope: Scope, dataset: TableDataset) -> tuple[int, int | None]:
    """The first row that is followed, and the first that is not any more; None: all that come."""
    first_key, stop_key = (0, None) if mode == "replay" else (dataset.rows, None)
    if scope.start_replay_us is not None:
        first_key = first_key_after(dataset, scope.start_replay_us - 1, 0, dataset.rows, begin_us(dataset, 0))
    if scope.experiment:  # what arrives during a replay belongs to the next one
        stop_key = dataset.rows
    if scope.stop_replay_us is not None:
        begun_us = begin_us(dataset, first_key)
        stop_key = first_key_after(dataset, scope.stop_replay_us - 1, first_key, dataset.rows, begun_us)
    if scope.experiment and stop_key is not None and first_key >= stop_key:
        raise ConfigurationError(_nothing_to_replay(dataset))
    return first_key, stop_key


def undiscovered(state: RunState, journaled: int, dataset: TableDataset) -> list[AnyEvent]:
    """Files that were found while nobody worked on the run, or just before it was killed: their keys must last, too.

    `journaled`: how many the journal knows. A replay follows no file that came after it began.
    """
    stop_key = state.started.stop_key
    followed = [one for one in dataset.entries[journaled:] if stop_key is None or one.first_key < stop_key]
    return [Discovered(time_us=now_us(), entries=tuple(followed))] if followed else []


def undiscovered_labels(state: RunState, journaled: int, labels: TableDataset) -> list[AnyEvent]:
    """Labels that were there when the run began, as far as the journal does not know of them, and those that were found
    while nobody worked on it, or just before it was killed. `journaled`: how many entries the journal knows.

    A replay follows none that came after it began.
    """
    began, new = state.started, labels.entries[journaled:]
    at_first = [one for one in new if one.stop_key <= (began.labels_position or 0)]
    later = [] if state.experiment else new[len(at_first) :]
    stream = state.stream
    next_key = stream.observed_key + 1
    if stream.label_finds:  # rows may have been seen since their position was journaled
        next_key = max(next_key, stream.label_finds[len(stream.label_finds) - 1].from_key)
    return [*_first_labels(began, at_first), *_labels(later, next_key, stream.event_time_us)]


def _first_labels(started: RunStarted, entries: Sequence[ManifestEntry]) -> list[AnyEvent]:
    """They are there before the first row is observed, or before all that exists is taken at once."""
    everything = started.everything
    if everything is not None:
        return _labels(entries, 0, everything.timestamp_us)
    return _labels(entries, started.first_key, None)


def _labels(entries: Sequence[ManifestEntry], from_key: int, event_time_us: int | None) -> list[AnyEvent]:
    if not entries:
        return []
    found = LabelsDiscovered(time_us=now_us(), entries=tuple(entries), from_key=from_key, event_time_us=event_time_us)
    return [found]


def _nothing_to_replay(dataset: TableDataset) -> str:
    first_us = begin_us(dataset, 0)
    assert first_us is not None
    return (
        "--start-replay-at and --stop-replay-at leave no row to replay: "
        f"{dataset.config.name} goes from {format_timestamp(first_us)} to {format_timestamp(_latest_us(dataset))}."
    )


def _over_everything(pipeline: Pipeline, dataset: TableDataset, labels: TableDataset | None) -> Fired:
    rows = dataset.rows
    reason = f"train_on_everything: all {rows} rows that exist"
    fired = Fired(id=TriggerId(0), key=rows - 1, timestamp_us=_latest_us(dataset), reason=reason)
    with scratch_folder("labels") as folder:  # the run has no place of its own yet
        labelling = labelling_of(pipeline)
        if labels is not None:
            files = LabelFiles(labels, Telling())
            labelling = InATable(folder / "index", dataset.config, files, [LabelFind(labels.rows, 0)])
        hear_rows(labelling, dataset, 0, rows)
        return msgspec.structs.replace(fired, labels=labelling.at(fired))


def _latest_us(dataset: TableDataset) -> int:
    bounds = [(start, min(start + _ROWS_AT_ONCE, dataset.rows)) for start in range(0, dataset.rows, _ROWS_AT_ONCE)]
    return max(int(sound_timestamps_us(dataset, *bound).max()) for bound in bounds)
