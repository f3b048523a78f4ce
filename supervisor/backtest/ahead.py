"""What the grid of a back-test will come to: told, or refused, before any of its models is trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from shared.class_names import told
from shared.config.pipeline import Pipeline, Trigger
from shared.config.yaml_source import yaml_line
from shared.dataset.table import TableDataset
from shared.errors import ConfigurationError
from shared.ids import TriggerId
from shared.messages.tasks import KeyRange
from shared.timestamps import format_timestamp, to_the_minute
from shared.words import counted
from supervisor.backtest.grid.policies_file import Policies
from supervisor.backtest.planning.train_rows import TrainRows
from supervisor.backtest.replaying.recorded_stream import RecordedStream
from supervisor.backtest.replaying.recording import Recording
from supervisor.backtest.replaying.replay import CannotTellError, Posed, Settled, replay
from supervisor.backtest.stretches import time_at
from supervisor.core.seen import Fired
from supervisor.run.observe.labelling import labelling_of

_FEW = 10  # classes that a remedy lists


class Ahead(NamedTuple):
    """What the run of a strategy will come to."""

    fired: Sequence[Fired]
    models: int  # of triggers with something to train on
    is_exact: bool  # False: a table of labels may leave some of them nothing


class _Clock:
    """A clock asks nothing, and hears of no training."""

    def __init__(self, rows: TrainRows | None) -> None:
        self._rows, self.models = rows, 0

    def answer(self, posed: Posed, model: TriggerId | None) -> dict[str, Any]:
        """Raises CannotTellError: there is nobody to ask."""
        raise CannotTellError("a clock asks nothing")

    def settled(self, fired: Fired, left_out: tuple[KeyRange, ...]) -> Settled:
        """Raises DataError."""
        has_rows = self._rows is None or self._rows.known_at(fired, left_out) > 0
        self.models += has_rows
        return Settled(0, 0.0 if has_rows else None)


def ahead_of(clock: Trigger, recording: Recording) -> Ahead:
    """What follows from the clock, which is the trigger of the grid's runs. Raises DataError."""
    pipeline, stream = recording.configuration.pipeline, recording.stream
    is_exact = recording.labels is None
    rows = TrainRows(pipeline, stream.dataset, stream.start.first_usable_key) if is_exact else None
    counting = _Clock(rows)
    found = replay(clock, stream, counting, counting, labelling=labelling_of(pipeline))
    return Ahead(found.fired, counting.models, is_exact)


def refuse_useless(policies: Policies, recording: Recording, ahead: Ahead) -> None:
    """Raise ConfigurationError for a grid on which nothing can be judged; DataError."""
    _refuse_no_model(policies, recording.stream, ahead)
    if recording.labels is None:
        _refuse_growing_classes(policies, recording.stream.dataset, ahead)


def trainings_ahead(policies: Policies, ahead: Ahead) -> str:
    """For people: `grid: 52 models, one every 7d, for each of 2 strategies: 104 trainings`."""
    most = "" if ahead.is_exact else "at most "
    every = policies.every if isinstance(policies.every, str) else counted(policies.every, "row")
    several, trainings = len(policies.series), counted(ahead.models * len(policies.series), "training")
    if several == 1:
        return f"grid: {most}{trainings}, one every {every}"
    models = counted(ahead.models, "model")
    return f"grid: {most}{models}, one every {every}, for each of {several} strategies: {trainings}"


def _refuse_no_model(policies: Policies, stream: RecordedStream, ahead: Ahead) -> None:
    """There must be a model, and a row behind it."""
    if ahead.fired and ahead.fired[0].key < stream.last_key:
        return
    first, last = (to_the_minute(format_timestamp(one)) for one in (stream.began_us, time_at(stream, stream.last_key)))
    raise ConfigurationError(
        f"{policies.source.told('grid.every')}: {policies.every} leaves no row behind a first model: there are "
        f"{counted(stream.rows, 'row')}, from {first} to {last}; take a closer grid."
    )


def _refuse_growing_classes(policies: Policies, dataset: TableDataset, ahead: Ahead) -> None:
    """Texts that the first trigger does not know get numbers by the triggers there are, and no model stands for
    another's.
    """
    if dataset.config.classes is not None or not dataset.has_text_labels:
        return
    stops = [0 if one.labelled_key is None else one.labelled_key + 1 for one in (ahead.fired[0], ahead.fired[-1])]
    known = _texts(dataset, 0, stops[0])
    later = _texts(dataset, *stops) - known
    if not later or len(known) >= _room(policies.configuration.pipeline):
        return
    where = policies.configuration.system_source.told(f"storage.datasets.{dataset.config.name}")
    classes, come = sorted(known | later), "comes" if len(later) == 1 else "come"
    remedy = f"write `classes: {yaml_line(classes)}`" if len(classes) <= _FEW else "list all in `classes`"
    raise ConfigurationError(
        f"{where}: the first model of the grid knows {len(known)} of {counted(len(classes), 'class', 'classes')}; "
        f"{told(sorted(later))} {come} later, and how later ones are numbered goes by the triggers there are, so that "
        f"no model stands for that of another trigger; {remedy} here."
    )


def _texts(dataset: TableDataset, first_key: int, stop_key: int) -> set[str]:
    """Those of the labels of the rows [first_key, stop_key). Raises DataError."""
    found = set[str]()
    for _, labels in dataset.labels_as_they_are(first_key, stop_key):
        found.update(labels.drop_null().unique().to_pylist())
    return found


def _room(pipeline: Pipeline) -> float:
    """How many classes the model tells apart, as workers count them."""
    declared = pipeline.model.config.get("num_classes")
    return max(declared, 2) if type(declared) is int else float("inf")
