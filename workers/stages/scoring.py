"""Models as entrants of an evaluation: those that a task names, and those that deployment targets hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import torch

from shared.artifacts import ArtifactRef
from shared.errors import NotReadyError, RowError
from shared.messages.reports import MetricScore, MetricValue, RivalScores
from shared.messages.rescore import Mask
from shared.messages.tasks import Device, Stretch
from shared.targets.target import DeploymentTarget, Record
from workers.evaluation.later_classes import knowing
from workers.evaluation.windows import Entrant, Rows, evaluate, forgive, resolve
from workers.features.class_names import LaterClasses
from workers.inference import load_model_bytes
from workers.loaded_model import LoadedModel
from workers.stages.work import Work
from workers.training.randomness import fix_arithmetic


def scoring_device(work: Work, device: Device) -> str:
    """This worker's own device of the kind that the run settled on, with the arithmetic that gives the same scores
    everywhere. Raises NotReadyError if it has none.
    """
    torch.set_num_threads(work.record.pipeline.training.threads)
    if device == "cpu":
        return "cpu"
    own = work.child.device
    if not own.startswith("cuda"):
        raise NotReadyError(f"scores of this run are computed on a GPU, and this worker has {own}.")
    fix_arithmetic()
    return own


def load_committed(work: Work, ref: ArtifactRef, device: str) -> LoadedModel:
    """A committed model on a device. Raises ArtifactError, ConfigurationError."""
    trusted = work.record.trusted_modules
    return work.child.shelf.take(ref, device, trusted, lambda: load(work, work.store.read(ref), device))


def load(work: Work, body: bytes, device: str) -> LoadedModel:
    """A model on a device. Raises ArtifactError, ConfigurationError."""
    return load_model_bytes(body, work.record.trusted_modules, device)


def entrant(
    work: Work, model: LoadedModel, stretch: Stretch, *, own: bool = True, forgiven: tuple[type[Exception], ...] = ()
) -> Entrant:
    """A model with the pipeline's metrics. A bad row has no score and ends no run that goes on after failures.

    `own`: it is a model of this run. Raises DataError.
    """
    metrics, dataset = work.record.pipeline.evaluation.metrics, work.record.dataset
    if work.record.pipeline.training.on_failure == "continue":
        forgiven = (*forgiven, RowError)
    found = Entrant(model, metrics, dataset.label, forgiven=forgiven, drops=dataset.nulls.labels == "drop")
    try:
        found.model = _knowing(work, model, stretch, own=own)
    except RowError as error:
        found.fail(error)
    return found


def _knowing(work: Work, model: LoadedModel, stretch: Stretch, *, own: bool) -> LoadedModel:
    """The model with the classes that were first met behind its rows, which it has room for.

    What another run calls its classes was settled by other triggers: its next one is the next that the stretch shows.
    """
    known = model.header.classes
    if own or known is None:
        return knowing(model, work.dataset, stretch.first_key, stretch.last_key, work.child.later_classes)
    model = model.knowing(msgspec.structs.replace(known, until=stretch.first_key - 1))
    return knowing(model, work.dataset, stretch.first_key, stretch.last_key, LaterClasses())


def meet(work: Work, stretch: Stretch, entrants: Iterable[Entrant]) -> Rows:
    """Have the entrants meet the rows of a stretch, and say which those are. Raises DataError, TrainingError."""
    pipeline, dataset = work.record.pipeline, work.dataset()
    split = next(window.split for window in pipeline.evaluation.on if window.name == stretch.window)
    rows = resolve(stretch, dataset)
    unlabelled = evaluate(list(entrants), rows, dataset, [Mask(name=split, split=pipeline.data.split)])
    return msgspec.structs.replace(rows, unlabelled=unlabelled)


class Rival:
    """A model that a target holds, whichever run put it there. What goes wrong with it is why it has no score."""

    def __init__(self, work: Work, target: DeploymentTarget, held: Record, stretch: Stretch, device: str) -> None:
        """Raises DataError: what the dataset lacks is not the model's fault."""
        self.held = held
        self.entrants: list[Entrant] = []
        self._metrics, self._error = work.record.pipeline.evaluation.metrics, ""
        offered = set(work.dataset().schema.names)
        try:
            model = load(work, target.body(held), device).reading(work.record.dataset)
            absent = set(model.columns) - offered
            if absent:
                self._error = f"it reads {', '.join(sorted(absent))}, which the dataset does not have"
        except Exception as error:
            self._error = forgive(error)
        else:
            own = held.run == work.record.run_id
            if not self._error:
                self.entrants = [entrant(work, model, stretch, own=own, forgiven=(Exception,))]

    def scores(self, stretch: Stretch, rows: Rows) -> RivalScores:
        """What it scored on the rows that it met."""
        found = [MetricScore(metric=one.label, value=None, n=0, error=self._error) for one in self._metrics]
        for one in self.entrants:
            found = one.scores()
        scores = tuple(value(one, self.held.trigger, stretch, rows) for one in found)
        return RivalScores(sha256=self.held.sha256, scores=scores)


def value(
    score: MetricScore, trigger_id: Any, stretch: Stretch, rows: Rows, estimated: float | None = None
) -> MetricValue:
    """A score as it is reported."""
    return MetricValue(
        trigger_id=trigger_id,
        window=stretch.window,
        slice=stretch.slice,
        metric=score.metric,
        value=score.value,
        n=score.n,
        first_timestamp_us=rows.first_timestamp_us,
        last_timestamp_us=rows.last_timestamp_us,
        error=score.error,
        unlabelled=rows.unlabelled,
        estimated=estimated,
    )
