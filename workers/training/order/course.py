"""How a training goes through its set, and the table of the rules that may decide it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from shared.errors import ConfigurationError
from shared.training_rule import TrainingRule
from workers.ahead import ahead
from workers.training.batch_rule import BatchRule, BatchRuleKind
from workers.training.order.all_rows import AllRows
from workers.training.order.infobatch import InfoBatch
from workers.training.order.row_losses import RowLosses
from workers.training.order.rs2 import RS2
from workers.training.order.rule import Epoch, EpochRule

Options = Mapping[str, Any]


class Ground(NamedTuple):
    """What a rule is made for."""

    rows: int  # of the training set
    epochs: int
    batch_size: int
    seed: int  # of the trigger
    block_rows: int | None = None  # of a set that is too large for an index; None: of others


class Course(NamedTuple):
    """Epoch by epoch, and within it batch by batch."""

    rule: EpochRule
    batch_rows: int  # that are gone through at once
    by_batch: BatchRule | None = None  # of these rows some are learned from; None: all

    @property
    def weighs(self) -> bool:
        """Whether rows are weighted, whatever the set says."""
        return self.rule.reads_losses or (self.by_batch is not None and self.by_batch.weighs)

    def epochs(self, first: int, epochs: int, losses: RowLosses | None) -> Iterator[Epoch]:
        """The epochs from `first` on; while one is used, the next is drawn, unless it waits for that one's losses."""
        if losses is None:
            return ahead(self.rule.epoch(number) for number in range(first, epochs))
        return (self.rule.epoch(number, losses.newest) for number in range(first, epochs))


def course_of(rule: TrainingRule | None, ground: Ground, batch_rules: Mapping[str, BatchRuleKind]) -> Course:
    """What the set's rule makes of the training; without one each epoch learns from all rows.

    `batch_rules`: those that are asked batch by batch, by name. Raises ConfigurationError for a rule that is not there,
    or cannot be used so.
    """
    all_rows = AllRows(ground.rows, ground.seed, block_rows=ground.block_rows)
    if rule is None:
        return Course(all_rows, ground.batch_size)
    if rule.name not in {*EPOCH_RULES, *batch_rules}:
        raise ConfigurationError(
            f"the training set asks for the rule {rule.name!r} of training; this worker knows "
            f"{', '.join([*EPOCH_RULES, *batch_rules])}. Install the supervisor's version for the workers, too."
        )
    try:
        if rule.name in EPOCH_RULES:
            return Course(EPOCH_RULES[rule.name](ground, rule.options), ground.batch_size)
        by_batch = batch_rules[rule.name](**rule.options)
        return Course(all_rows, max(1, round(ground.batch_size / by_batch.share)), by_batch)
    except (KeyError, TypeError, ValueError) as error:
        said = f"{type(error).__name__}: {error}"
        raise ConfigurationError(f"the training set's rule {rule.name} cannot be used: {said}.") from error


def _rs2(ground: Ground, options: Options) -> EpochRule:
    return RS2(ground.rows, **options, block_rows=ground.block_rows)


def _infobatch(ground: Ground, options: Options) -> EpochRule:
    if ground.block_rows is not None:
        raise ConfigurationError(
            f"infobatch keeps the loss of each row, and a training set of {ground.rows:,} rows is too large for that. "
            "Set a `limit`, or let rs2 choose."
        )
    return InfoBatch(ground.rows, ground.epochs, **options)


EPOCH_RULES: dict[str, Callable[[Ground, Options], EpochRule]] = {"rs2": _rs2, "infobatch": _infobatch}
