"""What a run would make of a dataset: what it holds, what looks wrong, and how many triggers its rows would fire."""

from __future__ import annotations

from typing import Literal

import msgspec

from shared.config.pipeline import Pipeline
from shared.dataset.survey.understood import Understood, understand
from shared.dataset.table import TableDataset
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
    """Read all rows. Raises DataError, and RunFailedError for what the policy raises or asks."""
    understood, warnings = understand(dataset)
    triggers = None
    if pipeline.initial_mode == "replay":
        seen = preview(pipeline, dataset)
        triggers = seen.triggers
        if triggers == 0:
            warnings = (*warnings, never_fired(seen.rows, seen.first_us, seen.last_us))
    return Understanding(
        dataset=understood,
        initial_mode=pipeline.initial_mode,
        policy=pipeline.trigger.name,
        triggers=triggers,
        warnings=warnings,
    )
