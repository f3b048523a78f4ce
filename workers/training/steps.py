"""How many steps a first training takes, as far as that is known before: a schedule may end before it does."""

from __future__ import annotations

import math

from shared.config.pipeline import Pipeline
from shared.messages.reports import Finding
from workers.features.source import SampleSource
from workers.training.optimizers import Schedule
from workers.training.order.bounds import batch_bounds

_LEAVE_OUT_NONE = ("new_data", "all_data")  # strategies that select each row of a first trigger
_DEVIATIONS = 6  # that the rows of a split are off its share: more is not seen


def too_short(schedule: Schedule, pipeline: Pipeline, source: SampleSource | None) -> Finding | None:
    """The schedule ends before a first training can, with the number of steps that it needs; None if it may last."""
    scheduler, most = pipeline.training.lr_scheduler, schedule.most_steps
    rows = _rows_of_the_first(pipeline, source)
    dropped = source is not None and source.config.nulls.labels == "drop"  # who knows how many
    fewest = _steps(pipeline, 1 if dropped else _fewest_trained_on(pipeline, rows), lone_row_allowed=False)
    if scheduler is None or most is None or fewest <= most:
        return None
    takes, needed = f"a training takes {fewest} at least", fewest
    if rows is not None:
        rows *= 1 + int(pipeline.strategy.options.get("tail", 0))  # triggers, as large as the first
        needed = _steps(pipeline, rows, lone_row_allowed=True)
        takes = f"a training on {rows:,} rows takes {needed}"
        grows = pipeline.strategy.name == "all_data" and not pipeline.strategy.reset_on_trigger
        takes += " and later ones more" if grows or pipeline.strategy.warm_up > 1 else ""
    how = f"epochs: {pipeline.training.epochs}, batch_size: {pipeline.training.batch_size}, every: {scheduler.every}"
    sentence = f"{scheduler.name} ends after {most} steps, but {takes} ({how})"
    path = "training.lr_scheduler.config" + (".total_steps" if "total_steps" in scheduler.config else "")
    return Finding(path=path, sentence=f"{sentence}; write `total_steps: {needed}` or more.")


def _rows_of_the_first(pipeline: Pipeline, source: SampleSource | None) -> int | None:
    """Rows that the first training selects from, of all splits; None where that is not known."""
    strategy = pipeline.strategy
    takes_all = strategy.name in _LEAVE_OUT_NONE and strategy.options.get("limit") is None and strategy.balance is None
    if not takes_all and not strategy.warm_up:
        return None
    if pipeline.initial_mode == "train_on_everything":
        return None if source is None else source.rows
    return int(pipeline.trigger.options["every"]) if pipeline.trigger.name == "data_amount" else None


def _fewest_trained_on(pipeline: Pipeline, rows: int | None) -> int:
    """So many of them are in the train split at least; one where that is not known."""
    split = pipeline.data.split
    share = 1 - split.test - split.validation
    if rows is None or split.by is not None:
        return 1
    spread = _DEVIATIONS * math.sqrt(rows * share * (1 - share)) if share < 1 else 0
    return max(1, math.floor(rows * share - spread))


def _steps(pipeline: Pipeline, rows: int, *, lone_row_allowed: bool) -> int:
    """Steps of the schedule in a training on so many rows."""
    training = pipeline.training
    if training.lr_scheduler is not None and training.lr_scheduler.every == "epoch":
        return training.epochs
    return training.epochs * len(batch_bounds(rows, training.batch_size, lone_row_allowed=lone_row_allowed))
