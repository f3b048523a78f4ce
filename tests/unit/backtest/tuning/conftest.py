"""A pipeline into which blocks of `trigger:` are loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import yaml
from workplace import Workplace

from shared.config.load import Configuration, load_configuration

Configured = Callable[[Mapping[str, Any]], Configuration]


@pytest.fixture
def configured(small: Workplace) -> Configured:
    """What loads a block."""
    small.pipeline.pop("deployment")
    small.write()
    text, file = yaml.safe_dump(small.pipeline), small.folder / "tried.yaml"

    def load(block: Mapping[str, Any]) -> Configuration:
        file.write_text(yaml.safe_dump({**yaml.safe_load(text), "trigger": dict(block)}))
        return load_configuration(file, small.folder / "config.yaml", experiment_mode=True)

    return load
