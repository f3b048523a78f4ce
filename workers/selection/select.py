"""Has a strategy choose: gives it the known rows of the train split, and writes down what was read."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.blame import blaming
from shared.config.pipeline import Named, Split
from shared.dataset.nulls import known as known_values
from shared.dataset.table import ROWS_AT_ONCE, TableDataset
from shared.errors import TrainingError
from shared.labels.index import LabelIndex
from shared.split import rows_in_split, seeds_of_column
from shared.strategies.build import strategy_of
from shared.strategies.state import read_state, state_bytes
from shared.strategies.strategy import CurrentModel, Keys, Piece, Request, State, Strategy, Weights
from shared.training_rule import TrainingRule
from workers.going_on import Interrupted
from workers.key_ranges import among
from workers.selection.choice import Mask, sound
from workers.selection.event_times import EventTimes
from workers.selection.known import Known, Rows, rows_of

_NOTHING: tuple[Keys, Weights] = np.empty(0, np.int64), np.empty(0, np.float32)


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Selected keys, ascending int64 (n,), weights float32 (n,), and the last row that was really read."""

    keys: Keys
    weights: Weights
    rows_read: int
    watermark_key: int
    state: bytes | None  # what the strategy keeps for the next trigger
    rule: TrainingRule | None
    dropped: int  # rows without a label, of those that were not known at the previous trigger


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy is given beside the rows: what it kept at an earlier trigger, the current model, and a seed."""

    state: bytes | None = None
    model: CurrentModel | None = None
    seed: int = 0  # of the pipeline


def select(
    chosen: Named,
    known: Known,
    dataset: TableDataset,
    split: Split,
    index: LabelIndex | None = None,
    memory: Memory | None = None,
) -> Selection:
    """What the strategy chooses; nothing where no row of the train split has become known since the previous trigger.

    `index`: of labels that stand in a table of their own. Raises DataError if rows are missing, TrainingError if the
    strategy fails, chooses what it may not, or would keep what no state can hold.
    """
    who = f"strategy {chosen.name}"
    reader, memory = _Reader(dataset, split, known, index), memory or Memory()
    with blaming(who, TrainingError, but=Interrupted):
        strategy = strategy_of(chosen)
        request = _request(strategy, known, reader, memory.seed)
        pieces, state = strategy.select(request, _observed(strategy, reader, memory), memory.model)
        rule = strategy.rule(request)
        may_choose = reader.may_choose if memory.state is None else reader.may_choose_again
        kept = None if state is None else state_bytes(state)
        keys, weights = sound(pieces, may_choose, who=who)
    if not reader.has_new():
        keys, weights = _NOTHING
    reader.read_on()
    return Selection(
        keys=keys,
        weights=weights,
        rows_read=reader.rows_read,
        watermark_key=known.trigger_key,
        state=kept,
        rule=rule,
        dropped=reader.dropped,
    )


def _observed(strategy: Strategy, reader: _Reader, memory: Memory) -> State:
    """The state after the rows that the strategy has not seen yet."""
    state = None if memory.state is None else read_state(memory.state)
    if type(strategy).observe is not Strategy.observe:
        for piece in reader.in_order(strategy.columns, labels=strategy.wants_labels):
            state = strategy.observe(msgspec.structs.replace(piece, seed=memory.seed), state)
    return state


def _request(strategy: Strategy, known: Known, reader: _Reader, seed: int) -> Request:
    most = strategy.earlier_triggers

    def told(triggers: int | None) -> int | None:
        if triggers is not None and not 1 <= triggers <= most:
            raise ValueError(f"request.rows({triggers}) is asked for; it takes None, or 1 to earlier_triggers, {most}")
        return triggers

    return Request(
        trigger_id=known.trigger_id,
        trigger_key=known.trigger_key,
        seed=seed,
        rows=lambda triggers: reader.keys(told(triggers)),
        timed=lambda triggers: reader.times.of(reader.keys(told(triggers))),
        labelled=lambda triggers: reader.labelled(told(triggers)),
        seen=reader.seen,
        labelled_us=reader.times.last_us,
    )


class _Reader:
    """The known rows of a trigger, cut to those of the train split that are not set aside; knows what was read."""

    def __init__(self, dataset: TableDataset, split: Split, known: Known, index: LabelIndex | None = None) -> None:
        self._dataset, self._split, self._known = dataset, split, known
        self._rows = rows_of(dataset, known, index)
        self.times = EventTimes(dataset, known)
        self._drops = dataset.config.nulls.labels == "drop" and index is None
        self._given = _Given()
        self._new: int | None = None  # rows that were not known at the previous trigger; None: nobody looked
        self.rows_read, self.dropped = 0, 0

    def keys(self, triggers: int | None = None) -> Iterator[Keys]:
        """Those that were not known so many triggers before; None: all. Raises DataError if a row is missing."""
        return (piece.keys for piece in self._pieces(self._rows.since(triggers, self._also()), triggers, ()))

    def in_order(self, columns: tuple[str, ...], *, labels: bool = False) -> Iterator[Piece]:
        """Those that were not observed before, with columns, in the order in which they became known."""
        since = 1 if self._known.observed == self._known.before(1) else None
        label = self._dataset.config.label
        rows = self._rows.in_order(self._also((*columns, label) if labels else columns))
        return self._pieces(rows, since, columns, label if labels else None)

    def labelled(self, triggers: int | None) -> Iterator[tuple[Keys, pa.ChunkedArray]]:
        """The same as `keys`, with labels."""
        columns = (self._dataset.config.label,)
        for piece in self._pieces(self._rows.since(triggers, self._also(columns)), triggers, columns):
            assert piece.rows is not None
            yield piece.keys, piece.rows.column(0)

    def seen(self, keys: Keys, triggers: int) -> npt.NDArray[np.int64]:
        """How many of so many triggers before knew each of these rows, (n,)."""
        known = np.zeros(len(keys), np.int64)
        for before in range(1, triggers + 1):
            known += ~self._rows.are_new(keys, before)
        return known

    def has_new(self) -> bool:
        """Whether a row has become known since the previous trigger."""
        if self._new is None:
            for _ in self.keys(1):
                pass
        return bool(self._new)

    def read_on(self) -> None:
        """Read on to the trigger's last row. Raises DataError if one is missing."""
        self.rows_read += self._rows.read_on()

    def may_choose(self, keys: Keys) -> Mask:
        """Which of these ascending keys are rows that were given."""
        return self._given.among(keys)

    def may_choose_again(self, keys: Keys) -> Mask:
        """Which of these are rows that were given now, or may have been at an earlier trigger. Raises DataError."""
        found = self._given.among(keys)
        others = np.unique(keys[~found])
        found[~found] = np.isin(keys[~found], others[self._may_have_been_given(others)])
        return found

    def _may_have_been_given(self, keys: Keys) -> Mask:
        may = self._rows.are_known(keys) & ~among(keys, self._known.left_out)
        if self._split.by is None and not self._drops:
            may[may] = self._of_train_split(keys[may], None)
            return may
        kept = [np.empty(0, np.bool_)]
        for start in range(0, len(known := keys[may]), ROWS_AT_ONCE):
            some = known[start : start + ROWS_AT_ONCE]
            rows = pa.concat_tables(self._dataset.take_batches(self._also(), some), promote_options="permissive")
            labelled = known_values(rows.column(self._dataset.config.label)) if self._drops else True
            kept.append(self._of_train_split(some, rows) & labelled)
        may[may] = np.concatenate(kept)
        return may

    def _also(self, columns: tuple[str, ...] = ()) -> tuple[str, ...]:
        config = self._dataset.config
        needed = [self._split.by or config.timestamp, *([config.label] if self._drops else []), *columns]
        return tuple(dict.fromkeys(needed))

    def _pieces(
        self, rows: Rows, triggers: int | None, columns: tuple[str, ...], label: str | None = None
    ) -> Iterator[Piece]:
        """Each piece, cut to the train split, and to rows that have a label and are not set aside."""
        read, dropped, new = 0, 0, 0
        for keys, table in rows:
            usable, is_new = ~among(keys, self._known.left_out), self._is_new(keys, triggers)
            kept = usable & self._of_train_split(keys, table)
            if self._drops:
                labelled = known_values(table.column(self._dataset.config.label))
                dropped += int((~labelled & usable & is_new).sum())
                kept &= labelled
            new += int((kept & is_new).sum())
            read += len(keys)
            self._given.add(keys, kept)
            chosen = pa.array(kept)
            yield Piece(
                keys=keys[kept],
                rows=table.select(list(columns)).filter(chosen) if columns else None,
                labels=None if label is None else table.column(label).filter(chosen),
            )
        self.rows_read, self.dropped, self._new = max(self.rows_read, read), dropped, new

    def _is_new(self, keys: Keys, triggers: int | None) -> Mask:
        """Which of the rows were not known at the previous trigger; none was known so many triggers before."""
        return np.ones(len(keys), np.bool_) if triggers == 1 else self._rows.are_new(keys)

    def _of_train_split(self, keys: Keys, rows: pa.Table | None) -> Mask:
        """`rows`: needed where the split is by a column."""
        split = self._split
        seeds = keys.view(np.uint64) if split.by is None or rows is None else seeds_of_column(rows.column(split.by))
        return rows_in_split(seeds, "train", test=split.test, validation=split.validation)


class _Given:
    """The rows that a strategy was given: a bit a row of pieces without gaps, the keys of others."""

    def __init__(self) -> None:
        self._bits: dict[int, npt.NDArray[np.uint8]] = {}  # first key of a piece → a bit a row
        self._keys: dict[tuple[int, int], Keys] = {}  # first key and length of a piece → those that were given

    def add(self, keys: Keys, kept: Mask) -> None:
        """These of a piece."""
        if len(keys) == 0:
            return
        if (np.diff(keys) == 1).all():
            self._bits[int(keys[0])] = np.packbits(kept)
        else:
            self._keys[int(keys[0]), len(keys)] = keys[kept]

    def among(self, keys: Keys) -> Mask:
        """Which of ascending keys were given."""
        given = np.isin(keys, np.concatenate([np.empty(0, np.int64), *self._keys.values()]))
        for key, bits in self._bits.items():
            of_piece = slice(*np.searchsorted(keys, (key, key + 8 * len(bits))))
            at = keys[of_piece] - key
            given[of_piece] |= (bits[at // 8] >> (7 - at % 8) & 1).astype(np.bool_)
        return given
