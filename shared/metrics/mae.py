"""Metric mae."""

from __future__ import annotations

from shared.metrics.metric import Gauge, MetricKind, Options


class Mae(MetricKind):
    """Mean of the absolute differences."""

    task = "regression"
    greater_is_better = False

    @classmethod
    def gauge(cls, options: Options, classes: int) -> Gauge:
        """The library's, with its sums in float64."""
        import torch  # noqa: PLC0415 - only workers have it
        from torchmetrics import MeanAbsoluteError  # noqa: PLC0415

        return MeanAbsoluteError().set_dtype(torch.float64)
