"""Metrics that are means over rows say the loss of each: their mean is as far from the best as the metric is."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from shared.plugins import METRICS

OPTIONS: dict[str, dict[str, Any]] = {"top_k": {"k": 2}}


@pytest.mark.parametrize("name", ["accuracy", "top_k", "log_loss", "mse", "mae"])
def test_they_are_what_the_metric_is_the_mean_of(name: str) -> None:
    """Also where classes are equally likely, and where the label is thought to be impossible."""
    kind, options, dice = METRICS[name], OPTIONS.get(name, {}), torch.Generator().manual_seed(1)
    outputs, labels = torch.rand(60, generator=dice).double(), torch.rand(60, generator=dice).double()
    if kind.task == "classification":
        labels = torch.randint(0, 4, (60,), generator=dice)
        outputs = torch.softmax(torch.randint(0, 3, (60, 4), generator=dice).float(), dim=1)
        outputs[:5] = torch.nn.functional.one_hot((labels[:5] + 1) % 4, 4).float()
    gauge = kind.gauge(options, 4)
    gauge.update(outputs, labels)
    losses = kind.losses(options, outputs, labels)
    assert kind.by_row
    assert (losses.dtype, losses.shape) == (torch.float64, (60,))
    assert (losses >= 0).all()
    assert float(losses.mean()) == pytest.approx(abs(kind.best - float(gauge.compute())), abs=1e-12)
