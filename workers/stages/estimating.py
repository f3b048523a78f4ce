"""Estimates of scores: beside the evaluation of models, or before the labels of their windows are known."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from shared.errors import RowError
from shared.ids import TriggerId
from shared.messages.reports import Estimated, MetricScore
from shared.messages.rescore import KeyRange, Mask
from shared.messages.tasks import Calibration, EvaluateTask, Stretch
from workers.detection.rows import Keys
from workers.estimation.estimation import Estimation, Window
from workers.estimation.reference import HeldOut, Reference, reference_of
from workers.evaluation.counted import Counted
from workers.evaluation.windows import Entrant
from workers.going_on import Interrupted
from workers.loaded_model import LoadedModel
from workers.stages.work import Work


class Estimating:
    """Estimates the scores of a task's models on windows whose rows are all new to them; of others there are none."""

    def __init__(self, work: Work, task: EvaluateTask) -> None:
        self._work = work
        self._calibrations = {one.trigger_id: one for one in task.calibrations}
        self._references: dict[TriggerId, Reference] = {}
        self.told: list[Estimated] = []

    def beside(
        self, stretch: Stretch, trigger_id: TriggerId, model: LoadedModel, entrant: Entrant
    ) -> Estimation | None:
        """That of a model on this stretch, if there is one; it sees what the entrant sees. Raises DataError."""
        calibration = self._calibrations.get(trigger_id)
        if calibration is None or stretch.first_key <= calibration.trigger_key:
            return None
        try:
            estimation = self._estimation(stretch, calibration, model)
        except RowError as error:
            self.told.append(_of(trigger_id, stretch, {"error": str(error)}))
            return None
        entrant.watcher = estimation.estimator
        return estimation

    def estimated(
        self, stretch: Stretch, trigger_id: TriggerId, scores: Sequence[MetricScore], estimation: Estimation | None
    ) -> dict[str, float]:
        """What each metric is expected to be, once the entrant has its scores; the report tells how it was found."""
        if estimation is None:
            return {}
        self.told.append(_of(trigger_id, stretch, estimation.facts()))
        found = {one.metric: estimation.expected(one.metric) for one in scores}
        return {metric: value for metric, value in found.items() if value is not None}

    def _estimation(self, stretch: Stretch, calibration: Calibration, model: LoadedModel) -> Estimation:
        options = self._work.record.pipeline.evaluation.estimate
        assert options is not None, "who estimates says how"
        window = Window(
            dataset=self._work.dataset(),
            keys=self._keys(stretch),
            seed=self._work.seed("estimate", calibration.trigger_key, stretch.window, stretch.slice, stretch.last_key),
            go_on=self._go_on,
        )
        estimation = Estimation(options, model, self._reference(calibration, model), window)
        estimation.prepare(self._work.record.pipeline.evaluation.metrics)
        return estimation

    def _keys(self, stretch: Stretch) -> Keys:
        """Those that count, ascending."""
        pipeline = self._work.record.pipeline
        split = next(window.split for window in pipeline.evaluation.on if window.name == stretch.window)
        keys = KeyRange(first_key=stretch.first_key, last_key=stretch.last_key)
        counted = Counted([keys], [Mask(name=split, split=pipeline.data.split)], self._work.dataset())
        return np.flatnonzero(counted.among(stretch.first_key, stretch.last_key + 1)) + stretch.first_key

    def _reference(self, calibration: Calibration, model: LoadedModel) -> Reference:
        """Once for all stretches. Labels are those that were known when the calibration says."""
        if calibration.trigger_id not in self._references:
            pipeline = self._work.record.pipeline
            options = pipeline.evaluation.estimate
            assert options is not None, "who estimates says how"
            held_out = HeldOut(
                first_key=calibration.first_key,
                last_key=calibration.last_key,
                mask=Mask(name=options.calibrate_on, split=pipeline.data.split),
                left_out=calibration.left_out,
                most=options.rows,
            )
            task = msgspec.structs.replace(self._work.task, labels=calibration.labels)
            dataset = dataclasses.replace(self._work, task=task).dataset()
            self._references[calibration.trigger_id] = reference_of(model, dataset, held_out)
        return self._references[calibration.trigger_id]

    def _go_on(self) -> None:
        if self._work.child.should_stop():
            raise Interrupted("stopped while scores were being estimated")


def _of(trigger_id: TriggerId, stretch: Stretch, facts: Mapping[str, Any]) -> Estimated:
    return Estimated(trigger_id=trigger_id, window=stretch.window, slice=stretch.slice, **facts)
