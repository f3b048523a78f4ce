"""Metric mse."""

from __future__ import annotations

from shared.metrics.metric import Gauge, MetricKind, Options


class Mse(MetricKind):
    """Mean of the squared differences."""

    task = "regression"
    greater_is_better = False

    @classmethod
    def gauge(cls, options: Options, classes: int) -> Gauge:
        """The library's, with its sums in float64."""
        import torch  # noqa: PLC0415 - only workers have it
        from torchmetrics import MeanSquaredError  # noqa: PLC0415

        return MeanSquaredError().set_dtype(torch.float64)
