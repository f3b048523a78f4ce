"""`holdout:` of rho_loss: a path that means the same from anywhere, or the rows of a validation split that there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.config.load import Configuration, load_configuration
from shared.errors import ConfigurationError


@pytest.fixture
def load(tmp_path: Path) -> Any:
    """Writes both files with this holdout model and split, and loads them."""

    def of(holdout: str = "", strategy: Any = None, **split: float) -> Configuration:
        pipeline = {
            "pipeline": {"name": "held-out"},
            "model": {"id": "mlp"},
            "data": {"dataset": "rows", "split": split},
            "trigger": {"policy": "data_amount", "every": 100},
            "strategy": strategy or {"name": "rho_loss", "fraction": 0.5, "holdout": holdout},
            "initial_mode": "replay",
        }
        (tmp_path / "pipeline.yaml").write_text(yaml.safe_dump(pipeline, sort_keys=False))
        (tmp_path / "config.yaml").write_text(yaml.safe_dump({"storage": {"datasets": {"rows": {"uri": "rows"}}}}))
        return load_configuration(tmp_path / "pipeline.yaml", tmp_path / "config.yaml", experiment_mode=True)

    return of


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("old/model.safetensors", "{folder}/old/model.safetensors"),
        ("${PLACE}/model.safetensors", "/far/model.safetensors"),
        ("~/model.safetensors", "/home/me/model.safetensors"),
        ("s3://bucket/model.safetensors", "s3://bucket/model.safetensors"),
        ("./validation", "{folder}/validation"),
    ],
)
def test_a_path_is_read_as_others_are(load, tmp_path, monkeypatch, given, found):
    """From the file's folder on; and the resolved file names the same place."""
    monkeypatch.setenv("PLACE", "/far")
    monkeypatch.setenv("HOME", "/home/me")
    configuration, expected = load(given), found.format(folder=tmp_path)
    assert configuration.pipeline.strategy.options["holdout"] == expected
    resolved = yaml.safe_load(configuration.resolved_pipeline_yaml())["strategy"]["holdout"]
    assert resolved == (given if "$" in given else expected)


def test_validation_rows_must_be_there(load):
    """Exit 2 at the key's line."""
    assert load("validation", validation=0.1).pipeline.strategy.options["holdout"] == "validation"
    with pytest.raises(
        ConfigurationError,
        match=r"pipeline.yaml:15: strategy.holdout: validation .* give data.split.validation a share",
    ) as caught:
        load("validation", test=0.1)
    assert caught.value.exit_code == 2


def test_a_holdout_that_is_missing_has_an_example(load):
    """As has a share that is written in percent."""
    with pytest.raises(ConfigurationError, match=r"strategy.holdout: is missing; add one, such as validation"):
        load(strategy={"name": "rho_loss", "fraction": 0.5})
    with pytest.raises(ConfigurationError, match=r"strategy.fraction: '50%' is not a number; write 0.5\."):
        load(strategy={"name": "uniform", "fraction": "50%"})


def test_a_path_within_another_strategy(load, tmp_path):
    """Is read alike, and its rows must be there, too."""
    stages = [{"name": "uniform", "fraction": 0.5}, {"name": "rho_loss", "fraction": 0.5, "holdout": "old.safetensors"}]
    strategy = {"name": "pipeline", "stages": stages}
    found = load(strategy=strategy).pipeline.strategy.options["stages"][1]["options"]["holdout"]
    assert found == f"{tmp_path}/old.safetensors"
    stages[1]["holdout"] = "validation"
    with pytest.raises(ConfigurationError, match=r"strategy.stages.1.holdout: .* give data.split.validation a share"):
        load(strategy=strategy)
