"""What a run would make of a dataset: what it holds, what looks wrong, and how many triggers its rows would fire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from shared.config.pipeline import Pipeline
from shared.dataset.survey.labels import LabelSurvey
from shared.dataset.survey.survey import Survey
from shared.dataset.survey.understood import Understood, understand
from shared.dataset.table import TableDataset
from shared.dataset.timestamp_column import Times
from shared.plugins import GUARDS
from shared.timestamps import MICROSECONDS_PER_S
from supervisor.results.times import never_fired
from supervisor.run.start.preview import preview


class LabelDelay(msgspec.Struct, frozen=True, kw_only=True):
    """When labels are known that stand in their rows, and so of how many rows they are at the end of these."""

    delay_s: float
    known: int
    waiting: int


class Understanding(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset as a pipeline would meet it."""

    dataset: Understood
    initial_mode: Literal["ignore", "train_on_everything", "replay"]
    policy: str
    guards: tuple[str, ...]  # what stands around it, the innermost first
    label_delay: LabelDelay | None  # None: labels stand in a table of their own
    triggers: int | None  # that rows which are there would fire; None where the policy does not see them
    warnings: tuple[str, ...]


def understanding(pipeline: Pipeline, dataset: TableDataset, labels: TableDataset | None = None) -> Understanding:
    """Read all rows, once, and all labels where they have a table of their own.

    Raises DataError, and RunFailedError for what the policy raises or asks.
    """
    delay_s, late = pipeline.data.label_delay_s, dataset.config.labels
    known_later = None if labels is None or late is None else LabelSurvey(labels, late)
    found = Survey(dataset, known_later, round(delay_s * MICROSECONDS_PER_S))
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
        guards=tuple(name for name in GUARDS if name in pipeline.trigger.guards),
        label_delay=None if known_later is not None else _delay(found, delay_s),
        triggers=None if seen is None else seen.triggers,
        warnings=warnings,
    )


def _delay(found: Survey, delay_s: float) -> LabelDelay:
    waiting = 0 if found.times.ended_us is None else found.known.left(found.times.ended_us)
    return LabelDelay(delay_s=delay_s, known=found.times.rows - waiting, waiting=waiting)


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
