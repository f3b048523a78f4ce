"""baseline: scores without a model, on the windows that the models are scored on."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
import numpy as np

from shared.dataset.nulls import count_nulls
from shared.errors import RowError
from shared.messages.reports import AnyReport, Baselined, MetricScore, MetricValue
from shared.messages.rescore import KeyRange, Mask
from shared.messages.tasks import BaselineTask, Stretch
from shared.plugins import METRICS
from workers.evaluation.baselines import BASELINES, LabelHistory, no_scores, score_baselines
from workers.evaluation.counted import Counted
from workers.evaluation.label_changes import ChangeSource, DelayedChanges, KnownSoFar, TableChanges
from workers.evaluation.late_baselines import score_late_baselines, with_classes, with_room
from workers.evaluation.usable_labels import BadRows, Labelled, UsableLabels, present
from workers.evaluation.windows import Rows
from workers.features.class_names import MOST_CLASSES, names_up_to, room_of
from workers.features.labels import NamedLabels
from workers.stages.scoring import value
from workers.stages.work import Work

_History = TypeVar("_History")
Scored = tuple[dict[str, list[MetricScore]], _History]


def run(work: Work) -> tuple[AnyReport, Any]:
    """Score majority and no_change on one window, and hand the label counts on. Raises DataError."""
    task, pipeline = work.task, work.record.pipeline
    assert isinstance(task, BaselineTask)
    keys = KeyRange(first_key=task.first_key, last_key=task.last_key)
    mask = Mask(name=pipeline.evaluation.prequential.split, split=pipeline.data.split)
    found, history = score(work, task, Counted([keys], [mask], work.dataset()))
    scores, known = values(work, task, found), msgspec.to_builtins(history)
    return Baselined(**work.who, scores=scores, history=known, dropped=_dropped(work, task)), {}


def values(work: Work, task: BaselineTask, found: dict[str, list[MetricScore]]) -> dict[str, tuple[MetricValue, ...]]:
    """Scores as they are reported; where rows stand in time they do not say."""
    stretch = Stretch(
        window=work.record.pipeline.evaluation.prequential.name,
        slice="",
        first_key=task.first_key,
        last_key=task.last_key,
        after_us=None,
        event_time_us=None,
    )
    rows = Rows(first_key=task.first_key, stop_key=task.last_key + 1, first_timestamp_us=None, last_timestamp_us=None)
    return {name: tuple(value(one, task.trigger_id, stretch, rows) for one in of) for name, of in found.items()}


def score(work: Work, task: BaselineTask, counted: Counted) -> Scored[LabelHistory] | Scored[KnownSoFar]:
    """What both score on the rows that count, and the history behind them, which is known of those of the task.

    A bad row ends no run that goes on after failures. Raises DataError.
    """
    late = work.record.pipeline.data.label_delay_s > 0 or work.record.dataset.labels is not None
    return _score_late(work, task, counted) if late else _score_at_once(work, task, counted)


def _score_at_once(work: Work, task: BaselineTask, counted: Counted) -> Scored[LabelHistory]:
    """Where each label is known with its row."""
    metrics, stop_key = work.record.pipeline.evaluation.metrics, task.last_key + 1
    history = None if task.history is None else msgspec.convert(task.history, LabelHistory)
    try:
        dataset = _labelled(work, task, stop_key)
        history = history or LabelHistory(key=0, counts=(0.0,) * _classes(work, task), last=0.0)
        return score_baselines(dataset, counted, metrics, history, _bad_rows(work, dataset))
    except RowError as error:  # of rows that cannot even be read as labels: nothing is known of all up to here
        if not _forgives(work):
            raise
        history = history or LabelHistory(key=0, counts=(0.0,), last=0.0)
        return {name: no_scores(metrics, str(error)) for name in BASELINES}, history.beyond(stop_key)


def _score_late(work: Work, task: BaselineTask, counted: Counted) -> Scored[KnownSoFar]:
    """Where labels come later than their rows."""
    metrics, stop_key = work.record.pipeline.evaluation.metrics, task.last_key + 1
    so_far = KnownSoFar(key=0, counts=(0.0,)) if task.history is None else msgspec.convert(task.history, KnownSoFar)
    dataset = _labelled(work, task, stop_key)
    usable = UsableLabels(dataset, _bad_rows(work, dataset), numbers=_of_numbers(work))
    source = _changes(work, dataset, usable, so_far)
    try:
        if not _of_numbers(work):
            if task.history is None:
                so_far = msgspec.structs.replace(so_far, counts=(0.0,) * _classes(work, task))
            so_far = with_classes(so_far, usable, stop_key)
            so_far = with_room(so_far, source.largest(so_far.key, stop_key) + 1)
        return score_late_baselines(source, usable, counted, metrics, so_far)
    except RowError as error:
        if not _forgives(work):
            raise
        return {name: no_scores(metrics, str(error)) for name in BASELINES}, source.beyond(so_far, stop_key)


def _changes(work: Work, dataset: Labelled, usable: UsableLabels, so_far: KnownSoFar) -> ChangeSource:
    """Where what becomes known is read."""
    index = work.label_index
    if index is None:
        return DelayedChanges(work.dataset(), usable, work.record.pipeline.data.label_delay_us, so_far)
    texts = index.texts() if isinstance(dataset, NamedLabels) else []
    numbers = dataset.numbers_of(texts) if isinstance(dataset, NamedLabels) else None
    return TableChanges(index, usable, lambda values: values if numbers is None else numbers[values.astype(np.int64)])


def _forgives(work: Work) -> bool:
    return work.record.pipeline.training.on_failure == "continue"


def _bad_rows(work: Work, dataset: Labelled) -> BadRows:
    classes = MOST_CLASSES if isinstance(dataset, NamedLabels) else room_of(work.record.pipeline.model)
    return BadRows(classes=classes, passed_over=_forgives(work))


def _dropped(work: Work, task: BaselineTask) -> dict[str, int]:
    """How many rows have no label, of those up to the window's last whose label no trigger knew."""
    config = work.record.dataset
    if config.nulls.labels != "drop" or config.labels is not None:
        return {}
    pieces = work.dataset().batches([config.label], task.unknown_key, task.last_key + 1)
    count = sum(count_nulls(rows.column(0)) for _, rows in pieces)
    return {config.label: count} if count else {}


def _labelled(work: Work, task: BaselineTask, stop_key: int) -> Labelled:
    """The dataset with labels that are numbers, up to a key."""
    dataset, room = work.dataset(), room_of(work.record.pipeline.model)
    if _of_numbers(work):
        return dataset
    names = names_up_to(dataset, stop_key, task.classes, task.first_labelled_key, room)
    return NamedLabels(dataset, names.names, room) if names is not None and names.texts else dataset


def _classes(work: Work, task: BaselineTask) -> int:
    """How many classes labels may have: the model's, or one more than the largest label that exists."""
    if _of_numbers(work):
        return 1
    declared = work.record.pipeline.model.config.get("num_classes")
    if declared:
        return int(declared)
    rows = work.dataset().rows
    labels = present(_labelled(work, task, rows).labels(0, rows))
    return int(labels[labels < MOST_CLASSES].max(initial=0)) + 1


def _of_numbers(work: Work) -> bool:
    """Whether labels are estimated as numbers, not told apart as classes."""
    return bool(METRICS[work.record.pipeline.evaluation.metrics[0].name].task == "regression")
