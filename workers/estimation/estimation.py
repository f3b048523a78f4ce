"""One model's scores on one window, estimated: calibrated on the model's reference, for the rows of the window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from shared.config.pipeline import Estimate, Metric
from shared.config.schema.evaluation import LEAST_ROWS
from shared.dataset.table import TableDataset
from shared.errors import ConfigurationError
from workers.detection.rows import Keys, drawn
from workers.estimation.calibrated import Calibrated
from workers.estimation.estimator import Estimator
from workers.estimation.reference import Reference
from workers.estimation.shift import Sets
from workers.going_on import GoOn
from workers.loaded_model import LoadedModel

_LEAST_TOLD_APART = 5  # rows of a window, to tell it from the reference


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The rows that a score is of."""

    dataset: TableDataset
    keys: Keys  # ascending
    seed: int  # the same on every machine
    go_on: GoOn


class Estimation:
    """What is known of it: the estimator, None where nothing can be estimated, and facts for its report."""

    def __init__(self, options: Estimate, model: LoadedModel, reference: Reference, window: Window) -> None:
        self._options, self._model, self._reference, self._window = options, model, reference, window
        self._facts: dict[str, Any] = {"calibrated_on": len(reference.keys)}
        self.estimator: Estimator | None = None

    def prepare(self, metrics: Sequence[Metric]) -> None:
        """Weigh the reference and calibrate on it, before the window's rows are seen. Raises DataError."""
        reference = self._reference
        if len(reference.keys) < LEAST_ROWS:
            # Without their number, so that windows are counted together.
            self._facts["error"] = f"fewer than {LEAST_ROWS} held-out rows to calibrate on had a label that was known"
            return
        try:
            weights = self._weights()
        except ConfigurationError as error:  # of a model whose embedding cannot be seen
            if self._options.method == "pape":
                self._facts["error"] = f"rows cannot be weighted: {error}"
                return
            weights = None
        alike = self._facts.get("effective_rows")
        if alike is not None and alike < LEAST_ROWS:
            self._facts["error"] = f"of the rows to calibrate on fewer than {LEAST_ROWS} are like those of the window"
            return
        calibrated = Calibrated(reference.outputs, reference.labels, weights)
        chosen = [one for one in metrics if one.label in self._options.metrics]
        self.estimator = Estimator(chosen, calibrated, reference.outputs.shape[1])

    def _weights(self) -> npt.NDArray[np.float64] | None:
        """Of the rows of the reference; None: they count alike, and so they do for a window of a few rows."""
        window, weighted = self._window, self._options.method == "pape"
        some = window.keys[drawn(0, len(window.keys) - 1, self._options.rows, window.seed)]
        if len(some) < _LEAST_TOLD_APART:
            return None
        sets = Sets.of((self._reference.dataset, self._reference.keys), (window.dataset, some), self._model)
        shift = sets.shift(window.seed, window.go_on, weighted=weighted)
        self._facts["shift"] = shift.auc
        if shift.ratio is None:
            return None
        self._facts["effective_rows"] = shift.ratio.effective_rows
        return shift.ratio.weights

    def expected(self, label: str) -> float | None:
        """A metric's value, once the rows were seen; None where there is none."""
        return None if self.estimator is None else self.estimator.expected(label)

    def facts(self) -> dict[str, Any]:
        """What `Estimated` says of it."""
        if self.estimator is None:
            return self._facts
        seen = {"rows": self.estimator.rows, "calibration_error": self.estimator.calibration_error()}
        return {**self._facts, **seen}
