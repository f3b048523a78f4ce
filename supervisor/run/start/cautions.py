"""What is said of a run before it begins, and keeps it from nothing."""

from __future__ import annotations

from collections.abc import Iterator

from shared.config.load import Configuration
from shared.config.pipeline import Every
from shared.dataset.table import TableDataset
from shared.dataset.time_problems import file_order_problems


def cautions(configuration: Configuration, dataset: TableDataset, *, replays: bool, resumed: bool) -> Iterator[str]:
    """Sentences for people. Raises DataError."""
    if not resumed:
        yield from file_order_problems(dataset)
    evaluation = configuration.pipeline.evaluation
    endless = evaluation.newest is None and any(isinstance(window.extent, Every) for window in evaluation.on)
    if endless and not replays:
        yield (
            "evaluation.models: all scores every model on every new slice, for ever; "
            "a run that follows a dataset should say {newest: N}"
        )
