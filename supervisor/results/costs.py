"""What a run has cost by the price of its pipeline: its trainings, and errors on the rows that were scored."""

from __future__ import annotations

from typing import Any

from shared.config.pipeline import Price
from shared.plugins import METRICS
from supervisor.results.composite import Composite

_DIGITS = 9  # 1 − .9 is a little less than .1 in binary


def cost(price: Price, trainings: int, own: Composite) -> dict[str, Any]:
    """`own`: the pipeline's composite in the price's metric. An error is a unit of its distance from the best value."""
    best = METRICS[price.metric.name].best
    assert best is not None, "a price without one is refused"
    errors = 0.0 if own.value is None else round(abs(best - own.value) * own.rows, _DIGITS)
    return {
        "price": {"training": price.training, "error": price.error, "metric": price.metric.label},
        "trainings": trainings,
        "errors": errors,
        "rows": own.rows,
        "total": round(price.training * trainings + price.error * errors, _DIGITS),
    }
