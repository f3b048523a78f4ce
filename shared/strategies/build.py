"""From what pipeline.yaml says to the strategy that chooses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.config.pipeline import Named, TrainingStrategy
from shared.plugins import STRATEGIES
from shared.strategies.strategy import Strategy
from shared.strategies.together.whatever import whatever_it_is


def strategy_of(named: Named) -> Strategy:
    """The strategy that `strategy:` names, with its options. Raises ConfigurationError for one that is not there."""
    strategy: Strategy = STRATEGIES[named.name](named.options)
    return whatever_it_is(strategy, named) if isinstance(named, TrainingStrategy) else strategy


def names_in(named: Named) -> Iterator[tuple[str, str]]:
    """(path below `strategy`, name) of the strategy, and of those that its options name."""
    return _names({"name": named.name, "options": named.options}, "")


def _names(block: Mapping[str, Any], at: str) -> Iterator[tuple[str, str]]:
    yield f"{at}name", block["name"]
    for key, option in block["options"].items():
        for number, one in enumerate(option if isinstance(option, list) else []):
            if isinstance(one, Mapping) and {"name", "options"} <= one.keys():
                yield from _names(one, f"{at}{key}.{number}.")
