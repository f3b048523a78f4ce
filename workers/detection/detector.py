"""What a detector is: it answers a question of the trigger policy from rows, and from the current model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from shared.config.pipeline import Pipeline
from shared.dataset.table import TableDataset
from shared.labels.index import LabelIndex
from shared.messages.tasks import KeyRange
from workers.going_on import GoOn, unheard

if TYPE_CHECKING:
    from workers.loaded_model import LoadedModel


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """What a detector may look at."""

    key: int  # the last row that it may read: it knows of no later one
    timestamp_us: int  # event time at that row
    labelled_key: int | None = None  # the last row whose label is known there; None: there is none
    dataset: TableDataset  # with labels as they are known at that row
    label_index: LabelIndex | None = None  # of labels that stand in a table of their own
    pipeline: Pipeline
    model: LoadedModel | None  # the current one; None: it reads none, or there is none yet
    model_trigger: int | None  # which made that model
    left_out: tuple[KeyRange, ...] = ()  # rows that are set aside, ascending: nothing is compared with them
    seed: int  # that of the row, the same on every machine and whoever asks
    # To be called wherever work goes on for long. Raises Interrupted when the question is to be handed back.
    go_on: GoOn = unheard


class Detector:
    """The base of all. Its answer depends on the options and what it sees, on nothing else."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        """`options`: those of the question."""

    def answer(self, sight: Sight) -> dict[str, Any]:
        """What JSON can hold, for the policy that has asked; NaN is None. Raises DataError."""
        raise NotImplementedError
