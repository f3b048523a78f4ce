"""The options of `performance`, and what the rest of pipeline.yaml says against them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from shared.config.schema.evaluation import MetricField
from shared.errors import ConfigurationError
from shared.plugins import METRICS
from supervisor.triggers.looks.span import Extent, SpanField
from supervisor.triggers.scores.bounds import beyond
from supervisor.triggers.scores.decide_on_scores import COUNTING, DecideOnScores, needs_held_out, rule_on_scores

_NO_MISTAKES = "{} does not count mistakes; take accuracy, or decide by drop."


class PerformanceOptions(f.Group):
    """Beside `policy: performance`."""

    every = SpanField("how often to look: a number of rows, or a duration of event time", required=True)
    metric = MetricField(
        METRICS, "what is measured, as in evaluation.metrics; else the first of those", load_default=None
    )
    window = f.Sub(
        Extent,
        "which rows since the newest trigger are scored: the newest N whose labels are known, or those of the last "
        "stretch of event time before the newest of them; else all that became known since the last look",
        load_default=None,
    )
    decide = f.Sub(DecideOnScores, "which scores fire", required=True)

    @f.validates_schema
    def _counts_once(self, data: dict[str, Any], **_: Any) -> None:
        rule = data["decide"]["policy"]
        if rule in COUNTING and data["window"] is not None:
            raise ValidationError({"window": [f"goes with other rules: {rule} counts each row once; remove it."]})
        if rule == "mistakes" and data["metric"] is not None and data["metric"]["name"] != "accuracy":
            raise ValidationError({"metric": [_NO_MISTAKES.format(data["metric"]["label"])]})


def objections(options: Mapping[str, Any], pipeline: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(key, sentence) for what the rest of pipeline.yaml does not allow, as its schema loads it."""
    decide, metrics = options["decide"], (pipeline.get("evaluation") or {}).get("metrics") or []
    split = (pipeline.get("data") or {}).get("split")
    metric = options["metric"] or (metrics[0] if metrics else None)
    if metric is not None and decide["policy"] == "mistakes" and metric["name"] != "accuracy":
        yield "metric", _NO_MISTAKES.format(metric["label"])
    if metrics and metric is not None and METRICS[metric["name"]].task != METRICS[metrics[0]["name"]].task:
        sentence = f"{metric['label']} and {metrics[0]['label']}, of evaluation.metrics, measure different models;"
        yield "metric", f"{sentence} take one of the same kind."
    if needs_held_out(decide) and split and not split["test"] + split["validation"]:
        sentence = f"{decide['policy']} compares with the model's score on held-out rows, and there are none;"
        other = ", or write decide.expected" if decide["policy"] == "cusum" else ""
        yield "decide.policy", f"{sentence} give data.split.test a share, such as 0.1{other}."
    if metric is not None:
        try:
            rule_on_scores(decide, greater_is_better=METRICS[metric["name"]].greater_is_better)
        except ConfigurationError as error:
            yield "decide.release", f"{error}."
        for key, sentence in beyond(decide, METRICS[metric["name"]], metric["label"]):
            yield f"decide.{key}", sentence
