"""gdumb trains from scratch, as its paper does: a training that goes on from a model is refused beside it."""

from __future__ import annotations

import pytest
from workplace import Workplace

from shared.config.changes import changes_of
from shared.config.load import load_configuration
from shared.errors import ConfigurationError

PIPELINE = """\
pipeline: {name: p}
model: {id: mlp}
training:
  epochs: 2
data: {dataset: rows}
trigger: {policy: data_amount, every: 100}
strategy: {name: gdumb, limit: 100}
initial_mode: replay
"""
TOLD = (
    "strategy.name: gdumb trains from scratch on what it remembers; below training write `use_previous_model: false`, "
    "which is true where it is not written."
)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("  epochs: 2", "  use_previous_model: true", 7),
        ("  epochs: 2", "  epochs: 2", 7),
        ("training:\n  epochs: 2\n", "", 5),
    ],
)
def test_going_on_from_a_model_is_refused(small: Workplace, old: str, new: str, line: int) -> None:
    """Where it is written, and where it is the default."""
    small.write()
    (small.folder / "pipeline.yaml").write_text(PIPELINE.replace(old, new))
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(small.folder / "pipeline.yaml", small.folder / "config.yaml", experiment_mode=True)
    assert caught.value.problems == (f"pipeline.yaml:{line}: {TOLD}",)
    assert caught.value.exit_code == 2


def test_it_is_a_mistake_of_gdumb_alone(small: Workplace) -> None:
    """Its memory may be trained on by a model that goes on, and a model of its own is what it asks for."""
    small.write()
    paths = small.folder / "pipeline.yaml", small.folder / "config.yaml"
    paths[0].write_text(PIPELINE)
    for change in ("training.use_previous_model=false", "strategy.name=class_balanced_reservoir"):
        found = load_configuration(*paths, changes_of([change]), experiment_mode=True).pipeline
        assert found.training.use_previous_model == ("=false" not in change)
