"""Has a strategy choose: gives it the rows of the train split as they are read, and writes down what was read."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.blame import blaming
from shared.config.pipeline import Named, Split
from shared.dataset.nulls import known as known_values
from shared.dataset.table import TableDataset
from shared.errors import DataError, TrainingError
from shared.plugins import STRATEGIES
from shared.split import rows_in_split, seeds_of_column
from shared.strategies.strategy import Keys, Piece, Pieces, Request, Strategy, Weights
from workers.selection.choice import Mask, sound
from workers.training.job import Interrupted


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the stream at a trigger."""

    first_key: int  # the first row that may be selected at all
    previous_trigger_keys: tuple[int, ...]  # the last rows of earlier triggers, oldest first
    trigger_key: int

    @property
    def new_key(self) -> int:
        """The first row that no earlier trigger knew."""
        return max((key + 1 for key in self.previous_trigger_keys), default=self.first_key)


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Selected keys, ascending int64 (n,), weights float32 (n,), and the last row that was really read."""

    keys: Keys
    weights: Weights
    rows_read: int
    watermark_key: int
    dropped: int  # rows since the previous trigger that have no label


def select(chosen: Named, known: Known, dataset: TableDataset, split: Split) -> Selection:
    """What the strategy chooses.

    Raises DataError if rows are missing, TrainingError if the strategy fails, chooses what it may not, or would keep a
    state.
    """
    who = f"strategy {chosen.name}"
    reader = _Reader(dataset, split, known)
    with blaming(who, TrainingError, but=Interrupted):
        keys, weights = sound(_choice(chosen, known, reader), reader.may_choose, who=who)
    if reader.watermark_key < known.trigger_key:
        raise DataError(f"{who} read rows up to key {reader.watermark_key} only.")
    return Selection(
        keys=keys,
        weights=weights,
        rows_read=reader.rows_read,
        watermark_key=reader.watermark_key,
        dropped=reader.dropped,
    )


def _choice(chosen: Named, known: Known, reader: _Reader) -> Pieces:
    strategy: Strategy = STRATEGIES[chosen.name](chosen.options)
    state = None
    if type(strategy).observe is not Strategy.observe:
        for piece in reader.pieces(known.new_key, strategy.columns):
            state = strategy.observe(piece, state)
    request = Request(
        first_key=known.first_key,
        previous_trigger_keys=known.previous_trigger_keys,
        trigger_key=known.trigger_key,
        rows=reader.keys,
    )
    found, state = strategy.select(request, state, None)
    if state is not None:
        raise TrainingError(f"strategy {chosen.name} keeps a state from trigger to trigger, which is not stored yet.")
    return found


class _Reader:
    """The rows up to a trigger, cut to those of the train split that may be selected; knows what was read."""

    def __init__(self, dataset: TableDataset, split: Split, known: Known) -> None:
        self._dataset, self._split, self._known = dataset, split, known
        self._stop_key = known.trigger_key + 1
        self._drops = dataset.config.nulls.labels == "drop"
        self._kept: dict[
            int, npt.NDArray[np.uint8]
        ] = {}  # first key of a batch → a bit a row, where keys say too little
        self.rows_read, self.watermark_key, self.dropped = 0, -1, 0

    def keys(self, first_key: int) -> Iterator[Keys]:
        """Those of the train split from a key on. Raises DataError if a row before the trigger's end is missing."""
        return (piece.keys for piece in self.pieces(first_key, ()))

    def pieces(self, first_key: int, columns: tuple[str, ...]) -> Iterator[Piece]:
        """The same, with columns."""
        config, read, dropped = self._dataset.config, 0, 0
        also = [self._split.by or config.timestamp, *([config.label] if self._drops else [])]
        for key, rows in self._dataset.batches([*dict.fromkeys([*also, *columns])], first_key, self._stop_key):
            numbers = np.arange(key, key + rows.num_rows, dtype=np.int64)
            kept = self._of_train_split(numbers, rows)
            if self._drops:
                labelled = known_values(rows.column(config.label))
                dropped += int((~labelled & (numbers >= self._known.new_key)).sum())
                kept &= labelled
            if self._drops or self._split.by is not None:
                self._kept[key] = np.packbits(kept)
            read += rows.num_rows
            yield Piece(keys=numbers[kept], rows=rows.select(list(columns)).filter(pa.array(kept)) if columns else None)
        self.rows_read = max(self.rows_read, read)
        self.dropped = max(self.dropped, dropped)
        self.watermark_key = max(self.watermark_key, first_key + read - 1)
        if read != self._stop_key - first_key:
            raise DataError(
                f"dataset {config.name}: {self._stop_key - first_key} rows up to key "
                f"{self._stop_key - 1} were announced, {read} could be read. Bring the files back, then --resume."
            )

    def _of_train_split(self, keys: Keys, rows: pa.Table) -> Mask:
        split = self._split
        seeds = keys.view(np.uint64) if split.by is None else seeds_of_column(rows.column(split.by))
        return rows_in_split(seeds, "train", test=split.test, validation=split.validation)

    def may_choose(self, keys: Keys) -> Mask:
        """Which of these ascending keys are rows that may be selected, not behind the trigger or before the first."""
        fit: Mask = (keys >= self._known.first_key) & (keys < self._stop_key)
        if self._split.by is None and not self._drops:
            shares = {"test": self._split.test, "validation": self._split.validation}
            return fit & rows_in_split(keys.view(np.uint64), "train", **shares)
        may = np.zeros(len(keys), np.bool_)
        for key, bits in self._kept.items():
            of_batch = slice(*np.searchsorted(keys, (key, key + 8 * len(bits))))
            at = keys[of_batch] - key
            may[of_batch] |= (bits[at // 8] >> (7 - at % 8) & 1).astype(np.bool_)
        return fit & may
