"""`price:` stands in any `trigger:` group, and policies that weigh costs need it."""

from __future__ import annotations

import pytest
from marshmallow import ValidationError
from workplace import Workplace

from shared.config.load import load_configuration
from shared.config.schema.trigger import TriggerBlock
from shared.errors import ConfigurationError

PRICE = {"training": 5, "error": 0.01}
STALE = {"policy": "cost_threshold", "every": 100}


def refused(small: Workplace, trigger: object) -> str:
    """What is said of a pipeline with this trigger."""
    small.pipeline["trigger"] = trigger
    small.write()
    with pytest.raises(ConfigurationError) as error:
        load_configuration(small.folder / "pipeline.yaml", small.folder / "config.yaml", experiment_mode=True)
    (problem,) = error.value.problems
    return str(problem)


@pytest.mark.parametrize("block", [STALE, {"policy": "ensemble", "policies": {"a": STALE}, "price": PRICE}])
def test_who_weighs_costs_needs_a_price(small: Workplace, block: dict[str, object]) -> None:
    """File, line, key and what to write; also of one that votes."""
    problem = refused(small, block)
    assert "pipeline.yaml:" in problem
    assert problem.endswith("price: is missing, and cost_threshold weighs what trainings and errors cost; "
                            "write such as {training: 5, error: 0.01}.")  # fmt: skip


def test_errors_are_counted_by_a_metric_that_is_evaluated(small: Workplace) -> None:
    """Else nobody could say what the run has cost."""
    problem = refused(small, {"policy": "data_amount", "every": 100, "price": {**PRICE, "metric": "log_loss"}})
    assert "trigger.price.metric: log_loss counts the errors and is not in evaluation.metrics, which has " in problem


def test_a_price_that_no_vote_weighs_stands_outside() -> None:
    """Where the run's cost is counted."""
    with pytest.raises(ValidationError) as caught:
        TriggerBlock("").deserialize(
            {"policy": "ensemble", "policies": {"a": {"policy": "time", "every": "1d", "price": PRICE}}}
        )
    assert "is none that time weighs; write it in the outermost group." in str(caught.value.messages)
