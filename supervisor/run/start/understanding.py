"""What a run would make of a dataset: what it holds, what looks wrong, and how many triggers its rows would fire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from shared.config.pipeline import Pipeline
from shared.dataset.survey.survey import Survey
from shared.dataset.survey.understood import Understood, understand
from shared.dataset.table import TableDataset
from shared.dataset.timestamp_column import Times
from supervisor.results.times import never_fired
from supervisor.run.start.preview import preview


class Understanding(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset as a pipeline would meet it."""

    dataset: Understood
    initial_mode: Literal["ignore", "train_on_everything", "replay"]
    policy: str
    triggers: int | None  # that rows which are there would fire; None where the policy does not see them
    warnings: tuple[str, ...]


def understanding(pipeline: Pipeline, dataset: TableDataset) -> Understanding:
    """Read all rows, once. Raises DataError, and RunFailedError for what the policy raises or asks."""
    found = Survey(dataset)
    reading = found.read()
    seen = preview(pipeline, _Heard(dataset, reading)) if pipeline.initial_mode == "replay" else None
    for _ in reading:
        pass  # what the policy did not look at
    understood, warnings = understand(found)
    if seen is not None and seen.triggers == 0:
        warnings = (*warnings, never_fired(seen.rows, seen.first_us, seen.last_us))
    return Understanding(
        dataset=understood,
        initial_mode=pipeline.initial_mode,
        policy=pipeline.trigger.name,
        triggers=None if seen is None else seen.triggers,
        warnings=warnings,
    )


class _Heard(TableDataset):
    """The dataset, whose timestamps are heard as somebody else reads its rows: so these are read once."""

    def __init__(self, dataset: TableDataset, reading: Iterator[Times]) -> None:
        super().__init__(dataset.config, dataset.entries)
        self._reading = reading

    def timed_batches(self, first_key: int, stop_key: int, batch_rows: int) -> Iterator[Times]:
        """Timestamps of all rows, at most `batch_rows` at a time; once."""
        for times in self._reading:
            for start in range(0, len(times.us), batch_rows):
                yield times.rows(start, start + batch_rows)
