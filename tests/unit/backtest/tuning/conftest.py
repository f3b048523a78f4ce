"""A pipeline into which blocks of `trigger:` are loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import get_ident
from typing import Any

import pytest
import yaml
from workplace import Workplace

from shared.config.load import Configuration, load_configuration

Configured = Callable[[Mapping[str, Any]], Configuration]


@pytest.fixture
def configured(small: Workplace) -> Configured:
    """What loads a block, in any thread."""
    small.pipeline.pop("deployment")
    small.write()
    text = yaml.safe_dump(small.pipeline)

    def load(block: Mapping[str, Any]) -> Configuration:
        folder = small.folder / str(get_ident())
        folder.mkdir(exist_ok=True)
        file = folder / "tried.yaml"
        file.write_text(yaml.safe_dump({**yaml.safe_load(text), "trigger": dict(block)}))
        return load_configuration(file, small.folder / "config.yaml", experiment_mode=True)

    return load
