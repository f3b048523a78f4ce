"""From what pipeline.yaml says to the strategy that chooses."""

from __future__ import annotations

from shared.config.pipeline import Named, TrainingStrategy
from shared.plugins import STRATEGIES
from shared.strategies.strategy import Strategy
from shared.strategies.together.whatever import whatever_it_is


def strategy_of(named: Named) -> Strategy:
    """The strategy that `strategy:` names, with its options. Raises ConfigurationError for one that is not there."""
    strategy: Strategy = STRATEGIES[named.name](named.options)
    return whatever_it_is(strategy, named) if isinstance(named, TrainingStrategy) else strategy
