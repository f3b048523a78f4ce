"""Trigger when the current model is expected to be no longer good enough, before labels tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.config.schema.evaluation import Calibrating
from shared.plugins import METRICS
from supervisor.triggers.performance import Performance
from supervisor.triggers.policy import State, StreamStart
from supervisor.triggers.scores.options import PerformanceOptions


class EstimatedPerformanceOptions(PerformanceOptions, Calibrating):
    """Beside `policy: estimated_performance`."""


class EstimatedPerformance(Performance):
    """Looks as `performance` does, at what the score is expected to be on all rows, whether their labels are known.

    It sees that features have moved to where the model is worse, and not that the concept has changed.
    """

    Schema = EstimatedPerformanceOptions
    detector = "estimated_performance"

    def __init__(self, options: Mapping[str, Any], start: StreamStart) -> None:
        super().__init__(options, start)
        how = {key: options[key] for key in ("method", "calibrate_on", "rows")}
        self._calibration = {**how, "first_key": start.first_key}

    @classmethod
    def objections(cls, options: Mapping[str, Any], pipeline: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """What the rest of pipeline.yaml does not allow."""
        yield from super().objections(options, pipeline)
        metrics = (pipeline.get("evaluation") or {}).get("metrics") or []
        metric = options["metric"] or (metrics[0] if metrics else None)
        if metric is not None and METRICS[metric["name"]].task == "regression":
            sentence = f"estimates models that tell classes apart, and {metric['label']} measures numbers;"
            yield "policy", f"{sentence} write policy: performance."
        elif metric is not None and not METRICS[metric["name"]].estimable:
            yield "metric", f"{metric['label']} cannot be estimated without labels; take accuracy."
        split, asked = (pipeline.get("data") or {}).get("split"), options["calibrate_on"]
        if split and asked is not None and not split[asked]:
            yield "calibrate_on", f"is {asked}, and data.split.{asked} is 0; give it a share, such as 0.1."
        elif split and not split["test"] + split["validation"]:
            sentence = "is calibrated on rows that no model was trained on, and there are none;"
            yield "policy", f"{sentence} give data.split.test a share, such as 0.1."

    def _asked(self, key: int, state: State) -> dict[str, Any]:
        return {**super()._asked(key, state), "calibration": self._calibration}
