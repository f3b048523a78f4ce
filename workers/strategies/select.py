"""Selection: the key ranges a strategy wants, read from the dataset and cut to the train split."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from shared.config.pipeline import AllData, NewData, Split
from shared.dataset.table import TableDataset
from shared.errors import DataError
from shared.split import rows_in_split, seeds_of_groups


class SelectionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the stream at a trigger."""

    first_key: int  # the first row that may be selected at all
    previous_trigger_keys: tuple[int, ...]  # the last rows of earlier triggers, oldest first
    trigger_key: int


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Selected keys, ascending int64 (n,), weights float32 (n,), and the last row that was really read."""

    keys: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]
    rows_read: int
    watermark_key: int


def _new_data(strategy: NewData, request: SelectionRequest) -> int:
    """The rows since the previous trigger, and those of `tail` triggers before it."""
    before = request.previous_trigger_keys
    return before[-1 - strategy.tail] + 1 if len(before) > strategy.tail else request.first_key


def _all_data(strategy: AllData, request: SelectionRequest) -> int:
    """Every followed row."""
    return request.first_key


_FIRST_KEY: dict[type, Callable[[Any, SelectionRequest], int]] = {NewData: _new_data, AllData: _all_data}


def select(strategy: NewData | AllData, request: SelectionRequest, dataset: TableDataset, split: Split) -> Selection:
    """Read the rows the strategy wants and keep those of the train split. Raises DataError if rows are missing."""
    first_key, stop_key = _FIRST_KEY[type(strategy)](strategy, request), request.trigger_key + 1
    column = split.by or dataset.config.timestamp
    keys, read = [], 0
    for key, rows in dataset.batches([column], first_key, stop_key):
        numbers = np.arange(key, key + rows.num_rows, dtype=np.int64)
        seeds = numbers.view(np.uint64) if split.by is None else seeds_of_groups(rows.column(0).to_pylist())
        keys.append(numbers[rows_in_split(seeds, "train", test=split.test, validation=split.validation)])
        read += rows.num_rows
    if read != stop_key - first_key:
        raise DataError(
            f"dataset {dataset.config.name}: {stop_key - first_key} rows up to key {request.trigger_key} were "
            f"announced, {read} could be read. Bring the files back, then --resume."
        )
    chosen = np.concatenate(keys) if keys else np.empty(0, np.int64)
    return Selection(
        keys=chosen,
        weights=np.ones(len(chosen), np.float32),
        rows_read=read,
        watermark_key=first_key + read - 1,
    )
