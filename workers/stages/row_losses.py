"""row losses: how far models are from the best on each row, by the code that evaluates them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from shared.claims import Attempt
from shared.errors import RowError
from shared.ids import WorkerId, task_id
from shared.labels.as_of import FINAL
from shared.messages.row_losses import LossFile, MeasureLosses
from shared.messages.setup_record import SetupRecord
from shared.messages.tasks import BaselineTask
from workers.evaluation.counted import in_all
from workers.evaluation.later_classes import knowing
from workers.evaluation.row_losses import RowLosses
from workers.evaluation.running_sums import RunningSums
from workers.evaluation.windows import Entrant, Rows, evaluate
from workers.stages.scoring import load_committed, scoring_device
from workers.stages.work import Process, Work

_KEYS_AT_ONCE = 262_144  # as a window is evaluated


def measure(wanted: MeasureLosses, record: SetupRecord, process: Process) -> None:
    """Write the files. Raises ArtifactError for a model that is not there, DataError, TrainingError, OSError.

    A bad row counts for nothing in a run that goes on after failures; in another it is an error. Memory: 9 bytes a
    model and row, for some rows at a time.
    """
    work = _work(wanted, record, process)
    first_key, stop_key = min(one.first_key for one in wanted.models), wanted.last_key + 1
    with ExitStack() as stack:
        measured = _Measured(work, wanted)
        files = [stack.enter_context(RunningSums(one.path, max(stop_key - one.first_key, 0))) for one in wanted.models]
        counts = None
        if wanted.counts is not None:
            counts = stack.enter_context(RunningSums(wanted.counts, max(stop_key - wanted.models[0].first_key, 0)))
        close = [
            None if one.close is None else stack.enter_context(RunningSums(one.close, max(stop_key - one.first_key, 0)))
            for one in wanted.models
        ]
        for start in range(first_key, stop_key, _KEYS_AT_ONCE):
            found = measured.among(start, min(start + _KEYS_AT_ONCE, stop_key))
            for one, file, of_close, of_model in zip(wanted.models, files, close, found, strict=True):
                file.add(of_model.losses[max(one.first_key - start, 0) :])
                if of_close is not None:
                    of_close.add(of_model.close[max(one.first_key - start, 0) :])
            if counts is not None:
                counts.add(found[0].counts[max(wanted.models[0].first_key - start, 0) :])


class _Measured:
    """The models of a request, and what they come to on rows."""

    def __init__(self, work: Work, wanted: MeasureLosses) -> None:
        self._work, self._wanted, self._dataset = work, wanted, work.dataset()
        on_gpu = wanted.device == "cuda" and work.child.device.startswith("cuda")
        device = scoring_device(work, "cuda" if on_gpu else "cpu")
        self._models = [load_committed(work, one.model.object, device) for one in wanted.models]
        self._forgives = work.record.pipeline.training.on_failure == "continue"

    def among(self, first_key: int, stop_key: int) -> list[RowLosses]:
        """What each model comes to on the rows [first_key, stop_key)."""
        counted = in_all(self._dataset, first_key, stop_key, [self._wanted.mask])
        triggers = [one.model.trigger_id for one in self._wanted.models]
        found = [RowLosses(self._wanted.metric, first_key, counted, trigger) for trigger in triggers]
        reached = [place for place, one in enumerate(self._wanted.models) if one.first_key < stop_key]
        self._meet(reached, found, first_key, stop_key)
        return found

    def _meet(self, places: Sequence[int], found: Sequence[RowLosses], first_key: int, stop_key: int) -> None:
        """Have some models meet some of the rows; those that are bad are looked for, and left out."""
        rows = Rows(first_key=first_key, stop_key=stop_key, first_timestamp_us=None, last_timestamp_us=None)
        try:
            entrants = [self._entrant(place, found[place], rows) for place in places]
            evaluate(entrants, rows, self._dataset, [self._wanted.mask])
            for one in entrants:
                one.scores()  # the last rows are read
        except RowError:
            if not self._forgives:
                raise
            if len(places) > 1:
                for place in places:
                    self._meet([place], found, first_key, stop_key)
            elif stop_key - first_key > 1:
                middle = (first_key + stop_key) // 2
                self._meet(places, found, first_key, middle)
                self._meet(places, found, middle, stop_key)
            else:
                found[places[0]].leave_out(first_key)

    def _entrant(self, place: int, watcher: RowLosses, rows: Rows) -> Entrant:
        work, dataset = self._work, self._dataset.config
        model = self._models[place]
        model = knowing(model, work.dataset, rows.first_key, rows.stop_key - 1, work.child.later_classes)
        found = Entrant(model, (), dataset.label, drops=dataset.nulls.labels == "drop")
        watcher.begin(rows.first_key, rows.stop_key, model.classes)
        found.watcher = watcher
        return found


def _work(wanted: MeasureLosses, record: SetupRecord, process: Process) -> Work:
    """Nobody has published it, and it is reported to nobody."""
    first: LossFile = wanted.models[0]
    task = BaselineTask(
        run_id=record.run_id,
        trigger_id=first.model.trigger_id,
        setup_version=record.version,
        labels=None if record.labels_uri is None else FINAL,
        first_key=first.first_key,
        last_key=wanted.last_key,
        history=None,
        unknown_key=wanted.last_key + 1,
        first_labelled_key=None,
    )
    identifier = task_id(record.run_id, task.trigger_id, "baseline")
    attempt = Attempt(run_id=record.run_id, task_id=identifier, number=task.attempt, worker=WorkerId("row_losses"))
    return Work(task=task, record=record, attempt=attempt, results=[], child=process)
