"""Which metric counts errors: one that is a mean over rows, so that any rows' errors can be added up."""

from __future__ import annotations

from shared.config.fields import nearest
from shared.config.pipeline import Metric, Pipeline
from shared.errors import ConfigurationError
from shared.plugins import METRICS


def chosen_metric(pipeline: Pipeline, label: str | None) -> Metric:
    """That with this label; without one that of the pipeline's own price, else the first that can be chosen.

    Raises ConfigurationError.
    """
    measured = pipeline.evaluation.metrics
    usable = [one for one in measured if METRICS[one.name].of_rows and METRICS[one.name].best is not None]
    if not usable:
        told = f"evaluation.metrics has {', '.join(one.label for one in measured)}, of which none is a mean over rows;"
        raise ConfigurationError(f"{told} add one that is, such as accuracy, log_loss, mae or mse.")
    if label is None:
        price = pipeline.trigger.price
        return usable[0] if price is None else price.metric
    by_label = {one.label: one for one in measured}
    if label not in by_label:
        raise ConfigurationError(f"--metric {label}: is not in evaluation.metrics; {nearest(label, by_label)}")
    if by_label[label] not in usable:
        told = f"--metric {label}: is no mean over rows, so that errors cannot be added up;"
        raise ConfigurationError(f"{told} take {', '.join(one.label for one in usable)}.")
    return by_label[label]
