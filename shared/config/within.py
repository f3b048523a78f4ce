"""Strategies by name, wherever they stand: that of the pipeline, or within one that is made of others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def options_within(strategy: Any, *names: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and options of each strategy of these names in a strategy's values, {name, options}, however deep."""
    if isinstance(strategy, dict):
        if strategy.get("name") in names and isinstance(options := strategy.get("options"), dict):
            yield strategy["name"], options
        strategy = list(strategy.values())
    if isinstance(strategy, list | tuple):
        for one in strategy:
            yield from options_within(one, *names)
