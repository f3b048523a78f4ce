"""A selection, and the whole of the training set that it writes."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from shared.config.pipeline import Named, Split
from shared.dataset.table import TableDataset
from shared.labels.index import LabelIndex
from shared.temporary import scratch_folder
from shared.training_set import TrainingSetFile, TrainingSetOrigin, TrainingSetWriter
from workers.selection import select as selection
from workers.selection.known import Known
from workers.selection.reader import Source

_ORIGIN = TrainingSetOrigin(watermark_key=0, watermark_timestamp_us=0, rows_read=0, seed=0, strategy="any")


class Selected(selection.Selection, frozen=True, kw_only=True):
    """What was chosen, and how that came about."""

    keys: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]


def select(
    chosen: Named,
    known: Known,
    dataset: TableDataset,
    split: Split,
    index: LabelIndex | None = None,
    memory: selection.Memory | None = None,
) -> Selected:
    """As the select task does it."""
    source, memory = Source(dataset, split, index), memory or selection.Memory()
    with scratch_folder("test") as folder:
        with TrainingSetWriter(folder / "set") as writer:
            found = selection.select(chosen, known, source, memory, writer)
            writer.finish(_ORIGIN)
        pieces = list(TrainingSetFile(folder / "set").pieces())
    whole: dict[str, Any] = {
        "keys": np.concatenate([np.empty(0, np.int64), *(keys for keys, _ in pieces)]),
        "weights": np.concatenate([np.empty(0, np.float32), *(weights for _, weights in pieces)]),
    }
    return Selected(**msgspec.structs.asdict(found), **whole)
