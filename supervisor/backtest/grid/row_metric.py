"""The metric that a back-test judges by: a mean over rows, each of which has a loss of its own."""

from __future__ import annotations

from shared.config.pipeline import Metric, Pipeline
from shared.errors import ConfigurationError
from shared.plugins import METRICS


def row_metric(pipeline: Pipeline, label: str | None) -> Metric:
    """That of `--metric LABEL`; else the price's; else the first of `evaluation.metrics` that is a mean over rows.

    Raises ConfigurationError where there is none, or where that one is no such mean.
    """
    metrics, price = pipeline.evaluation.metrics, pipeline.trigger.price
    labels = [one.label for one in metrics if _by_row(one)]
    if label is not None:
        found = next((one for one in metrics if one.label == label), None)
        if found is None:
            named = ", ".join(one.label for one in metrics)
            raise ConfigurationError(f"--metric {label}: is no metric of evaluation.metrics; these are {named}.")
        return _sound(found, f"--metric {label}", labels)
    if price is not None:
        return _sound(price.metric, f"trigger.price.metric {price.metric.label}", labels)
    if not labels:
        named = ", ".join(one.label for one in metrics)
        raise ConfigurationError(
            f"evaluation.metrics ({named}): none of them is a mean over rows, by which a back-test can tell what each "
            "row costs; add one, such as accuracy, log_loss, mse or mae."
        )
    return next(one for one in metrics if one.label == labels[0])


def _by_row(metric: Metric) -> bool:
    return bool(METRICS[metric.name].by_row)


def _sound(metric: Metric, where: str, labels: list[str]) -> Metric:
    if _by_row(metric):
        return metric
    remedy = f"choose {' or '.join(labels)} by --metric" if labels else "add one to evaluation.metrics, as accuracy"
    raise ConfigurationError(
        f"{where}: is no mean over rows, so a back-test cannot tell what each row costs; {remedy}."
    )
