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


def probabilities(rows: int, dice: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Of four classes, many of which are nearly equally likely; and labels."""
    logits = torch.randint(0, 3, (rows, 4), generator=dice) + torch.randn((rows, 4), generator=dice) * 1e-4
    return torch.softmax(logits, dim=1), torch.randint(0, 4, (rows,), generator=dice)


@pytest.mark.parametrize("name", ["accuracy", "top_k"])
def test_rounding_decides_only_losses_that_are_close(name: str) -> None:
    """Each output moves by some of its last bits."""
    kind, options, dice = METRICS[name], OPTIONS.get(name, {}), torch.Generator().manual_seed(2)
    outputs, labels = probabilities(20_000, dice)
    moved = outputs * (1 + (torch.rand(outputs.shape, generator=dice) - 0.5) * 2**-16)
    close = kind.close(options, outputs, labels)
    changed = kind.losses(options, outputs, labels) != kind.losses(options, moved, labels)
    assert kind.is_share
    assert changed.any()
    assert not (changed & ~close).any()
    assert 0 < close.double().mean() < 0.5


@pytest.mark.parametrize("name", ["accuracy", "top_k"])
def test_a_share_is_to_the_bit_that_of_rows_without_a_loss(name: str) -> None:
    """As who only knows the losses computes it."""
    kind, options, dice = METRICS[name], OPTIONS.get(name, {}), torch.Generator().manual_seed(3)
    outputs, labels = probabilities(700, dice)
    losses = kind.losses(options, outputs, labels).tolist()
    for rows in range(1, 700):
        gauge = kind.gauge(options, 4)
        gauge.update(outputs[:rows], labels[:rows])
        assert float(gauge.compute()) == (rows - sum(losses[:rows])) / rows
