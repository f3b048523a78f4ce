"""`evaluation.estimate`: what is estimated, and on which rows it is calibrated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.config.load import Configuration, load_configuration
from shared.errors import ConfigurationError


@pytest.fixture
def load(tmp_path: Path) -> Any:
    """Writes both files with this estimate, these metrics and split, and loads them."""

    def of(estimate: Any, metrics: Any = ("accuracy", "auroc"), **split: float) -> Configuration:
        pipeline = {
            "pipeline": {"name": "estimated"},
            "model": {"id": "mlp"},
            "data": {"dataset": "rows", "split": split or {"test": 0.1}},
            "trigger": {"policy": "data_amount", "every": 100},
            "strategy": {"name": "new_data"},
            "initial_mode": "replay",
            "evaluation": {"metrics": list(metrics), "estimate": estimate},
        }
        (tmp_path / "pipeline.yaml").write_text(yaml.safe_dump(pipeline, sort_keys=False))
        (tmp_path / "config.yaml").write_text(yaml.safe_dump({"storage": {"datasets": {"rows": {"uri": "rows"}}}}))
        return load_configuration(tmp_path / "pipeline.yaml", tmp_path / "config.yaml", experiment_mode=True)

    return of


def test_what_is_left_out_is_filled_in(load, tmp_path):
    """All metrics that can be estimated, on the split that there is; and the resolved file says so."""
    found = load({}).pipeline.evaluation.estimate
    assert (found.method, found.metrics, found.calibrate_on, found.rows) == ("pape", ("accuracy",), "test", 2000)
    both = load({"method": "cbpe"}, test=0.1, validation=0.1)
    assert both.pipeline.evaluation.estimate.calibrate_on == "validation"
    resolved = yaml.safe_load(both.resolved_pipeline_yaml())["evaluation"]["estimate"]
    assert resolved == {"method": "cbpe", "calibrate_on": "validation", "rows": 2000, "metrics": ["accuracy"]}
    assert load(resolved, test=0.1, validation=0.1).pipeline == both.pipeline


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (({}, ["mse"]), "evaluation.estimate: estimates models that tell classes apart; evaluation.metrics measures"),
        (({}, ["auroc"]), "evaluation.estimate: cannot estimate auroc; add accuracy to evaluation.metrics."),
        (({"metrics": ["auroc"]},), "estimate.metrics.0: auroc cannot be estimated; name some of accuracy."),
        (({"metrics": ["f1"]},), "estimate.metrics.0: f1 is not in evaluation.metrics; name some of accuracy."),
        (({"calibrate_on": "validation"},), "evaluation.estimate.calibrate_on: is validation, and there are no such"),
        (({"methods": "cbpe"},), "did you mean method?"),
        (({"rows": 49},), "evaluation.estimate.rows: 49 is not a whole number of at least 50."),
    ],
)
def test_what_cannot_be_is_refused(load, given, sentence):
    """With a sentence that names the key."""
    with pytest.raises(ConfigurationError) as caught:
        load(*given)
    assert any(sentence in one for one in caught.value.problems), caught.value.problems


def test_rows_to_calibrate_on_must_be_there(load):
    """No split, no estimate."""
    with pytest.raises(ConfigurationError, match=r"evaluation.estimate: calibrates on rows .* data.split.test a share"):
        load({}, test=0.0)
