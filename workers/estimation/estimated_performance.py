"""How good the current model is expected to be on what arrived, whether or not its labels are known."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from shared.config.pipeline import Estimate, Metric
from shared.dataset.event_time import first_key_after
from shared.errors import RowError
from shared.messages.reports import MetricScore
from shared.messages.rescore import Mask
from shared.timestamps import MICROSECONDS_PER_S
from workers.detection.detector import Sight
from workers.detection.known_rows import KnownRows
from workers.detection.performance import NO_ROWS, Found, Performance, metric_of
from workers.detection.rows import Keys, read
from workers.estimation.estimation import Estimation, Window
from workers.estimation.reference import HeldOut, reference_of
from workers.loaded_model import LoadedModel

_ROWS_AT_ONCE = 16_384


class EstimatedPerformance(Performance):
    """Estimates the current model's score on rows since the newest trigger, of all splits, labels or not.

    Options are those of `performance`, whose `window` is of all rows here, and `calibration`: `method`, `calibrate_on`
    and `rows` as of `evaluation.estimate`, and `first_key`, from which on rows may be calibrated on: those held out
    whose labels are known at the look.
    """

    def answer(self, sight: Sight) -> dict[str, Any]:
        """As of `performance`, with `shift`, `effective_rows` and `calibrated_on` beside it."""
        metric = metric_of(self._options, sight)
        first_key, last_key = self._options["current"]
        keys, known = self._window(sight), len(KnownRows(sight, first_key, last_key))
        scored, expected, facts = NO_ROWS, NO_ROWS, dict[str, Any]()
        if sight.model is not None:
            scored, facts = self._estimated(sight, sight.model, metric, keys)
            expected = self.expected(sight, metric)
        found = Found(metric=metric, scored=scored, expected=expected, of=scored.n, known=known)
        return {**found.told(sight), "metric": f"estimated {metric.label}", **facts}

    def _window(self, sight: Sight) -> Keys:
        """Theirs, ascending. Raises DataError."""
        (first_key, last_key), window = self._options["current"], self._options["window"]
        if window.get("since") is not None:
            first_key = max(first_key, window["since"]["key"] + 1)
        elif window.get("duration_s") is not None:
            after_us = sight.timestamp_us - round(window["duration_s"] * MICROSECONDS_PER_S)
            first_key = first_key_after(sight.dataset, after_us, first_key, last_key + 1, self._options["since_us"])
        else:
            first_key = max(first_key, last_key + 1 - window["rows"])
        return np.arange(first_key, last_key + 1)

    def _estimated(
        self, sight: Sight, model: LoadedModel, metric: Metric, keys: Keys
    ) -> tuple[MetricScore, dict[str, Any]]:
        """The score, and how it came about."""
        try:
            estimation = self._estimation(sight, model, metric, keys)
        except RowError as error:
            return msgspec.structs.replace(NO_ROWS, error=str(error)), {}
        if estimation.estimator is not None:
            for some in np.split(keys, range(_ROWS_AT_ONCE, len(keys), _ROWS_AT_ONCE)):
                outputs = model.predict_encoded(model.encode(read(sight.dataset, model.columns, some), some)).read()
                estimation.estimator.saw(outputs, np.zeros(len(some), np.int64), np.zeros(len(some), np.bool_))
        facts = estimation.facts()
        told = {name: facts.get(name) for name in ("calibrated_on", "effective_rows", "shift")}
        why = facts.get("error", None if len(keys) else "no row came")
        value = estimation.expected(metric.label)
        return MetricScore(metric=metric.label, value=value, n=len(keys), error=why), told

    def _estimation(self, sight: Sight, model: LoadedModel, metric: Metric, keys: Keys) -> Estimation:
        given, split = self._options["calibration"], sight.pipeline.data.split
        options = Estimate(
            method=given["method"],
            metrics=(metric.label,),
            calibrate_on=given["calibrate_on"] or ("validation" if split.validation else "test"),
            rows=given["rows"],
        )
        held_out = HeldOut(
            first_key=given["first_key"],
            last_key=-1 if sight.labelled_key is None else sight.labelled_key,
            mask=Mask(name=options.calibrate_on, split=split),
            left_out=sight.left_out,
            most=options.rows,
        )
        window = Window(dataset=sight.dataset, keys=keys, seed=sight.seed, go_on=sight.go_on)
        estimation = Estimation(options, model, reference_of(model, sight.dataset, held_out), window)
        estimation.prepare([metric])
        return estimation
