"""Policies object to what stands elsewhere in pipeline.yaml, wherever in `trigger:` they stand."""

from __future__ import annotations

import pytest
from workplace import Workplace

from shared.config.load import load_configuration
from shared.errors import ConfigurationError

DROP = {"policy": "performance", "every": 100, "decide": {"policy": "drop", "by": 0.1}}


@pytest.mark.parametrize(
    ("trigger", "at"),
    [
        (DROP, "trigger.decide.policy: drop compares"),
        ({"policy": "ensemble", "policies": {"a": {"policy": "time", "every": "7d"}, "b": DROP}}, "trigger.policies.b"),
    ],
)
def test_a_score_on_held_out_rows_needs_some(small: Workplace, trigger: object, at: str) -> None:
    """The sentence says what to write."""
    small.pipeline["trigger"] = trigger
    small.pipeline["evaluation"].pop("on")
    small.pipeline.pop("deployment")
    small.pipeline["data"].pop("split")
    small.write()
    with pytest.raises(ConfigurationError, match=rf"{at}.*give data\.split\.test a share"):
        load_configuration(small.folder / "pipeline.yaml", small.folder / "config.yaml", experiment_mode=True)
