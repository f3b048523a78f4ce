"""Which pipelines cannot be back-tested: those whose models depend on what earlier triggers there were."""

from __future__ import annotations

from collections.abc import Iterator

from shared.config.load import Configuration
from shared.config.pipeline import TrainingStrategy
from shared.errors import ConfigurationError
from shared.strategies.build import strategy_of

_WHY = "a back-test has one model stand for that of any trigger at its row, whichever triggers came before"

Problem = tuple[str, str]  # key path in pipeline.yaml, sentence


def refuse_dependent(configuration: Configuration) -> None:
    """Raise ConfigurationError with all that makes the model of a trigger depend on the triggers before it."""
    source, found = configuration.pipeline_source, list[Problem]()
    if configuration.pipeline.training.use_previous_model:
        told = f"has each training go on from the model before, and {_WHY}; write `use_previous_model: false`."
        found.append(("training.use_previous_model", told))
    found += of_strategy(configuration.pipeline.strategy)
    if found:
        raise ConfigurationError(*(f"{source.told(path)}: {sentence}" for path, sentence in found))


def of_strategy(block: TrainingStrategy) -> Iterator[Problem]:
    """Why what is selected at a trigger depends on the triggers before it, if it does."""
    strategy, name = strategy_of(block), block.name
    remedy = f"and {_WHY}; take a strategy that goes by rows alone, such as all_data or sliding_window"
    if strategy.selects_all and strategy.forgets_triggers:
        return
    if block.warm_up:
        yield "strategy.warm_up", f"{block.warm_up} has the first triggers select otherwise, and {_WHY}; remove it."
    elif block.reset_on_trigger:
        yield "strategy.reset_on_trigger", f"goes by what is new at a trigger, and {_WHY}; remove it."
    elif strategy.part_at(0) is not None:
        yield "strategy", f"{name} goes by how many triggers came before, {remedy}."
    elif strategy.reads_model:
        yield "strategy", f"{name} asks the model of the trigger before, {remedy}."
    elif not strategy.selects_all:
        of_all = ", or write `of: all`" if block.options.get("of") == "new" else ""
        yield "strategy", f"{name} selects from the rows since the trigger before, {remedy}{of_all}."
    elif strategy.recalls:
        yield "strategy", f"{name} goes by what was selected at earlier triggers, {remedy}."
    else:
        yield "strategy", f"{name} does not say that it goes by rows alone (`forgets_triggers`), {remedy}."
