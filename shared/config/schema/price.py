"""`price:` of a `trigger:` group: what a training costs, and what an error does, in one currency."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from shared.config.schema.evaluation import MetricField
from shared.plugins import METRICS

EXAMPLE = "{training: 5, error: 0.01}"
_MOST = 1e15  # more, and sums of it are soon no numbers any more


class Amount(f.PositiveNumber):
    """What something costs."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        amount = super()._deserialize(value, attr, data, **kwargs)
        if amount > _MOST:
            raise ValidationError(f"{f.quoted(value)} is above {_MOST:g}; write all prices in a larger unit.")
        return amount


class Price(f.Group):
    """`price:`."""

    example = EXAMPLE

    training = Amount("what one training costs, however many rows it selects", required=True)
    error = Amount(
        "what an error costs, in the same currency: one wrong row, or one unit of the metric's distance from its best "
        "on one row",
        required=True,
    )
    metric = MetricField(
        METRICS,
        "what counts errors, one of evaluation.metrics",
        load_default=lambda: {"name": "accuracy", "label": "accuracy", "options": {}},
    )

    @f.validates_schema
    def _counts(self, data: dict[str, Any], **_: Any) -> None:
        if METRICS[data["metric"]["name"]].best is None:
            told = f"{data['metric']['label']} has no best value from which errors could be counted;"
            raise ValidationError({"metric": [f"{told} take accuracy, mae or mse."]})


def objections(price: Mapping[str, Any], pipeline: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(key, sentence) for what the rest of pipeline.yaml does not allow, as its schema loads it."""
    metrics = (pipeline.get("evaluation") or {}).get("metrics") or []
    label, labels = price["metric"]["label"], [one["label"] for one in metrics]
    if metrics and label not in labels:
        sentence = f"{label} counts the errors and is not in evaluation.metrics, which has {', '.join(labels)};"
        yield "metric", f"{sentence} add it there, or name one of those."
