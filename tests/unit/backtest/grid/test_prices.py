"""What trainings and errors come to at a price."""

from __future__ import annotations

import pytest

from shared.config.pipeline import Metric
from shared.config.schema.policies import PriceField
from supervisor.backtest.grid.prices import Price

ACCURACY = Metric(name="accuracy", label="accuracy", options={})


@pytest.mark.parametrize(
    ("written", "cost", "text", "block"),
    [
        (50, 3 * 50 + 8.0, "50 a training, 1 an error", {"training": 50.0, "error": 1.0}),
        ({"training": 5, "error": 0.01}, 15.08, "5 a training, 0.01 an error", {"training": 5.0, "error": 0.01}),
        ({"gpu_second": 0.2, "error": 1}, 0.2 * 60 + 8.0, "0.2 a GPU second, 1 an error", None),
    ],
)
def test_of_a_training_or_of_a_second(written, cost, text, block):
    """Three trainings of 60 seconds, and a loss of 8; no policy weighs seconds."""
    price = Price.read(PriceField("").deserialize(written), written)
    assert price.of(3, 60.0, 8.0) == pytest.approx(cost)
    assert (price.text, price.block(ACCURACY), price.written) == (text, block, written)


def test_a_policy_is_told_what_counts_errors():
    """Unless it is accuracy, which a price means anyway."""
    price = Price.read(PriceField("").deserialize(2.0), 2.0)
    top = Metric(name="top_k", label="top_2", options={"k": 2})
    assert price.block(top) == {"training": 2.0, "error": 1.0, "metric": {"name": "top_k", "k": 2}}
