"""rescore: the scores of one window on some of its rows, as the run that it is of would have computed them on these."""

from __future__ import annotations

import msgspec

from shared.claims import Attempt
from shared.ids import WorkerId, task_id
from shared.labels.as_of import FINAL
from shared.messages.reports import MetricValue
from shared.messages.rescore import KeyRange, Rescore
from shared.messages.setup_record import SetupRecord
from shared.messages.tasks import BaselineTask, Device, Stretch
from workers.evaluation.counted import Counted
from workers.evaluation.windows import Rows, evaluate, resolve
from workers.stages.baseline import score, values
from workers.stages.scoring import entrant, load_committed, scoring_device, value
from workers.stages.work import Process, Work

Scores = dict[str, tuple[MetricValue, ...]]


def rescore(wanted: Rescore, record: SetupRecord, process: Process) -> Scores:
    """`model 3` …, and both baselines where they are wanted → their scores, each as one over all rows that count.

    Raises ArtifactError for a model that is not there, DataError, TrainingError.
    """
    task = BaselineTask(
        run_id=record.run_id,
        trigger_id=wanted.trigger_id,
        setup_version=record.version,
        labels=None if record.labels_uri is None else FINAL,
        first_key=wanted.ranges[0].first_key,
        last_key=wanted.ranges[-1].last_key,
        history=wanted.history,
        unknown_key=wanted.ranges[-1].last_key + 1,
        first_labelled_key=wanted.first_labelled_key,
        classes=wanted.classes,
    )
    # Nobody has published it, and it is reported to nobody.
    identifier = task_id(record.run_id, wanted.trigger_id, "baseline")
    attempt = Attempt(run_id=record.run_id, task_id=identifier, number=task.attempt, worker=WorkerId("rescore"))
    work = Work(task=task, record=record, attempt=attempt, results=[], child=process)
    if not wanted.baselines:
        return _of_models(wanted, work)
    found, _ = score(work, task, Counted(wanted.ranges, wanted.masks, work.dataset()))
    return {**_of_models(wanted, work), **values(work, task, found)}


def _of_models(wanted: Rescore, work: Work) -> Scores:
    device: Device = "cuda" if wanted.device == "cuda" and work.child.device.startswith("cuda") else "cpu"
    place, dataset = scoring_device(work, device), work.dataset()
    stretch = _stretch(wanted, work, wanted.ranges[0].first_key, wanted.ranges[-1].last_key)
    entrants = [entrant(work, load_committed(work, ref.object, place), stretch) for ref in wanted.models]
    unlabelled = sum(evaluate(entrants, _rows(keys), dataset, wanted.masks) for keys in wanted.ranges)
    before = resolve(_stretch(wanted, work, wanted.trigger_key + 1, stretch.first_key - 1), dataset)
    if before.last_timestamp_us is not None:
        stretch = msgspec.structs.replace(stretch, event_time_us=before.last_timestamp_us)
    rows = msgspec.structs.replace(resolve(stretch, dataset), unlabelled=unlabelled)
    return {
        f"model {ref.trigger_id}": tuple(value(found, ref.trigger_id, stretch, rows) for found in one.scores())
        for ref, one in zip(wanted.models, entrants, strict=True)
    }


def _stretch(wanted: Rescore, work: Work, first_key: int, last_key: int) -> Stretch:
    """Rows of the window, with event time before all of it."""
    return Stretch(
        window=work.record.pipeline.evaluation.prequential.name,
        slice="",
        first_key=first_key,
        last_key=last_key,
        after_us=None,
        event_time_us=wanted.trigger_timestamp_us,
    )


def _rows(keys: KeyRange) -> Rows:
    """Those of a range; where they stand in time is not asked."""
    stop_key = keys.last_key + 1
    return Rows(first_key=keys.first_key, stop_key=stop_key, first_timestamp_us=None, last_timestamp_us=None)
