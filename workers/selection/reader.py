"""The rows of a split that are known at a trigger: reads them, knows which these were, and what was read."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.config.pipeline import Split
from shared.dataset.nulls import known as known_values
from shared.dataset.table import ROWS_AT_ONCE, TableDataset
from shared.labels.index import LabelIndex
from shared.messages.tasks import Watermarks
from shared.split import SplitName, rows_in_split, seeds_of_column
from shared.strategies.strategy import Keys, Piece
from workers.key_ranges import among
from workers.selection.choice import Mask
from workers.selection.event_times import EventTimes
from workers.selection.key_bits import KeyBits
from workers.selection.known import Known, Rows, rows_of


class Source(msgspec.Struct, frozen=True):
    """Where the rows of a run come from."""

    dataset: TableDataset
    split: Split
    index: LabelIndex | None = None  # of labels that stand in a table of their own


class Reader:
    """The known rows of a trigger, cut to those of one split that are not set aside; knows what was read.

    Memory: a piece; where labels may be null, or the split goes by a column, a bit a row beside it.
    """

    def __init__(self, source: Source, known: Known, split: SplitName = "train") -> None:
        self._dataset, self._split, self._split_name, self._known = source.dataset, source.split, split, known
        self._rows = rows_of(source.dataset, known, source.index)
        self.times = EventTimes(source.dataset, known)
        self._drops = source.dataset.config.nulls.labels == "drop" and source.index is None
        self._asked: set[Watermarks | None] = set()  # rows that were not known at one of these were asked for
        by_key = self._split.by is None and not self._drops
        self._given = None if by_key else KeyBits(known.first_key, known.trigger_key + 1)
        self._new: int | None = None  # rows that were not known at the previous trigger; None: nobody looked
        self.rows_read, self.dropped = 0, 0

    def keys(self, triggers: int | None = None) -> Iterator[Keys]:
        """Those that were not known so many triggers before; None: all. Raises DataError if a row is missing."""
        return (piece.keys for piece in self._since(triggers, ()))

    def in_order(self, columns: tuple[str, ...], *, labels: bool = False) -> Iterator[Piece]:
        """Those that were not observed before, with columns, in the order in which they became known."""
        label = self._dataset.config.label
        rows = self._rows.in_order(self._also((*columns, label) if labels else columns))
        return self._pieces(rows, self._known.observed, columns, label if labels else None)

    def labelled(self, triggers: int | None) -> Iterator[tuple[Keys, pa.ChunkedArray]]:
        """The same as `keys`, with labels."""
        for piece in self._since(triggers, (self._dataset.config.label,)):
            assert piece.rows is not None
            yield piece.keys, piece.rows.column(0)

    def seen(self, keys: Keys, triggers: int) -> npt.NDArray[np.int64]:
        """How many of so many triggers before knew each of these rows, (n,)."""
        known = np.zeros(len(keys), np.int64)
        for before in range(1, triggers + 1):
            known += ~self._rows.are_new(keys, self._known.before(before))
        return known

    def has_new(self) -> bool:
        """Whether a row has become known since the previous trigger."""
        if self._new is None:
            for _ in self.keys(1):
                pass
        return bool(self._new)

    def read_on(self) -> None:
        """Read what was only asked for of the rows since the previous trigger, and on to the trigger's last row.

        Raises DataError if one is missing.
        """
        self.rows_read += self._rows.read_on()

    def may_choose(self, keys: Keys) -> Mask:
        """Which of these ascending keys are rows that were given."""
        given = self.given_now(keys)
        return given if self._given is not None else given & self._may_have_been_given(keys)

    def given_now(self, keys: Keys) -> Mask:
        """Which of ascending keys that may be chosen are rows that were given now, not at an earlier trigger alone."""
        if self._given is not None:
            return self._given.among(keys)
        asked = np.zeros(len(keys), np.bool_)
        for before in self._asked:
            asked |= self._rows.are_new(keys, before)
        return asked

    def may_choose_again(self, keys: Keys) -> Mask:
        """Which of these are rows that were given now, or may have been at an earlier trigger. Raises DataError."""
        if self._given is None:
            return self._may_have_been_given(keys)
        found = self._given.among(keys)
        others = np.unique(keys[~found])
        found[~found] = np.isin(keys[~found], others[self._may_have_been_given(others)])
        return found

    def _may_have_been_given(self, keys: Keys) -> Mask:
        may = self._rows.are_known(keys) & ~among(keys, self._known.left_out)
        if self._given is None:
            may[may] = self._of_split(keys[may], None)
            return may
        kept = [np.empty(0, np.bool_)]
        for start in range(0, len(known := keys[may]), ROWS_AT_ONCE):
            some = known[start : start + ROWS_AT_ONCE]
            rows = pa.concat_tables(self._dataset.take_batches(self._also(), some), promote_options="permissive")
            labelled = known_values(rows.column(self._dataset.config.label)) if self._drops else True
            kept.append(self._of_split(some, rows) & labelled)
        may[may] = np.concatenate(kept)
        return may

    def _also(self, columns: tuple[str, ...] = ()) -> tuple[str, ...]:
        """What has to be read for these columns of the rows that may be chosen."""
        by, label = self._split.by, self._dataset.config.label
        return tuple(dict.fromkeys([*([by] if by else []), *([label] if self._drops else []), *columns]))

    def _since(self, triggers: int | None, columns: tuple[str, ...]) -> Iterator[Piece]:
        before = self._known.before(triggers)
        return self._pieces(self._rows.since(before, self._also(columns)), before, columns)

    def _pieces(
        self, rows: Rows, before: Watermarks | None, columns: tuple[str, ...], label: str | None = None
    ) -> Iterator[Piece]:
        """Each piece, cut to the split, and to rows that have a label and are not set aside.

        `before`: none of the rows was known at that trigger.
        """
        self._asked.add(before)
        read, dropped, new = 0, 0, 0
        for keys, table in rows:
            usable, is_new = ~among(keys, self._known.left_out), self._is_new(keys, before)
            kept = usable & self._of_split(keys, table)
            if self._drops:
                assert table is not None
                labelled = known_values(table.column(self._dataset.config.label))
                dropped += int((~labelled & usable & is_new).sum())
                kept &= labelled
            new += int((kept & is_new).sum())
            read += len(keys)
            if self._given is not None:
                self._given.add(keys[kept])
            yield _piece(keys, table, kept, columns, label)
        self.rows_read, self.dropped, self._new = max(self.rows_read, read), dropped, new

    def _is_new(self, keys: Keys, before: Watermarks | None) -> Mask:
        """Which of the rows were not known at the previous trigger."""
        previous = self._known.before(1)
        return np.ones(len(keys), np.bool_) if before == previous else self._rows.are_new(keys, previous)

    def _of_split(self, keys: Keys, rows: pa.Table | None) -> Mask:
        """`rows`: needed where the split is by a column."""
        split = self._split
        seeds = keys.view(np.uint64) if split.by is None or rows is None else seeds_of_column(rows.column(split.by))
        return rows_in_split(seeds, self._split_name, test=split.test, validation=split.validation)


def _piece(keys: Keys, table: pa.Table | None, kept: Mask, columns: tuple[str, ...], label: str | None) -> Piece:
    """Those rows that are kept, with what a strategy is to see of them."""
    if table is None:
        return Piece(keys=keys[kept], rows=None)
    chosen = pa.array(kept)
    return Piece(
        keys=keys[kept],
        rows=table.select(list(columns)).filter(chosen) if columns else None,
        labels=None if label is None else table.column(label).filter(chosen),
    )
