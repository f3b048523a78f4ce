"""What is said of a run before it begins, and keeps it from nothing."""

from __future__ import annotations

from collections.abc import Iterator

from shared.config.load import Configuration
from shared.config.pipeline import Every, Pipeline
from shared.dataset.table import TableDataset
from shared.dataset.time_problems import file_order_problems


def cautions(configuration: Configuration, dataset: TableDataset, *, replays: bool, resumed: bool) -> Iterator[str]:
    """Sentences for people. Raises DataError."""
    if not resumed:
        yield from file_order_problems(dataset)
    yield from of_the_pipeline(configuration.pipeline, replays=replays)


def of_the_pipeline(pipeline: Pipeline, *, replays: bool) -> Iterator[str]:
    """Those that the pipeline's file alone gives."""
    if not replays:
        yield from endless_scores(pipeline)
    elif "max_wait" in pipeline.trigger.guards:
        yield "trigger.max_wait is time by the clock, in a run that follows its dataset; this replay goes on without it"


def endless_scores(pipeline: Pipeline) -> Iterator[str]:
    """That a run which follows a dataset would have ever more to score with each slice."""
    evaluation = pipeline.evaluation
    if evaluation.newest is None and any(isinstance(window.extent, Every) for window in evaluation.on):
        yield (
            "evaluation.models: all scores every model on every new slice, for ever; "
            "a run that follows a dataset should say {newest: N}"
        )
