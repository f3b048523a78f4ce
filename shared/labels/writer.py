"""Joins rows and label rows as they come, and writes which label is known of each row, and from which row on.

Both sides are remembered by key, and what comes is joined with all of the other side that came before. The folder of an
index holds what others read (`shared.labels.index`): `rows` and `more`, all pairs of each row; `changes`, when what is
known of a row changes; `kind.json` and `texts.jsonl`, how values are read. All else lies in files without a name, which
go with the process.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.labels import changes as change
from shared.labels.coverage import Coverage, is_of_several_machines, say_covered
from shared.labels.key_hash import keys_of, refuse_other_types
from shared.labels.key_index import KeyIndex, Sizes
from shared.labels.label_values import ValueWriter
from shared.labels.labelled import Labelled
from shared.labels.open_rows import OpenRows
from shared.labels.pair_writer import PairWriter
from shared.labels.pairs import NO_PAIRS, Pairs, Waiting, joined
from shared.labels.record_table import RecordWriter
from shared.labels.resident import Resident
from shared.labels.stretch import FoundAt, Stretch

Whole = npt.NDArray[np.int64]

_ENDS = np.iinfo(np.int64)


class Limits(NamedTuple):
    """What decides on memory and speed, never on what is found."""

    at_once: int = 1 << 17  # rows, or label rows, that are joined in one go
    pairs_at_once: int = 1 << 21
    resident_bytes: int = 1 << 28  # of mapped files
    sizes: Sizes = Sizes()


_LIMITS = Limits()
_Facts = tuple[Whole, npt.NDArray[np.float64], npt.NDArray[np.bool_]]  # of label rows: known_at, value, is it there


class LabelIndexWriter:
    """An index in a folder that is absent or empty. `patience_us`: how much later than its row a label may be known."""

    def __init__(self, folder: Path, patience_us: int | None, limits: Limits = _LIMITS) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        resident = Resident(limits.resident_bytes)
        self._folder, self._is_of_several_machines = folder, is_of_several_machines(folder)
        self._patience_us, self._limits = patience_us, limits
        self._label_keys = KeyIndex(folder, "labels", limits.sizes, resident)
        self._row_keys = KeyIndex(folder, "keys", limits.sizes, resident)
        self._labels = RecordWriter(folder / "labels", 2, resident, own=True)  # known_at, bits of the value
        self._labels.begin(0)
        self._times = RecordWriter(folder / "times", 1, resident, own=True)
        self._pairs = PairWriter(folder, resident)
        self._log = change.ChangeLog(folder / "changes")
        self._values = ValueWriter(folder)
        self._found_at, self._labelled, self._open = FoundAt(), Labelled(), OpenRows()
        self._early = Waiting()  # pairs whose `known_at` is still to come
        self._held = NO_PAIRS  # pairs that count from the next row on, or from a later one
        self._first_key = 0  # of the rows observed last
        self._last: tuple[int, int] | None = None  # key and event time of the last row
        self.position = 0
        self.unlabelled = 0

    @property
    def settled_key(self) -> int:
        """All observed rows up to it are known or given up (event time is beyond theirs and patience).

        The key before the first row that waits; the last observed one where none waits; −1 before the first row.
        A row counts as known as soon as its label was found and event time has reached its `known_at`, thus one row
        earlier than in the changes if the label was found between two rows.
        """
        if self._open.first is not None:
            return self._open.first - 1
        return -1 if self._last is None else self._last[0]

    @property
    def waiting(self) -> int:
        """How many observed rows are neither known nor given up."""
        return self._open.count

    def known_at(self, key: int) -> tuple[int, int] | None:
        """(key, event time) of the last row that is known at a trigger at `key`, one of the rows observed last.

        None if none is. Raises ValueError for another row.
        """
        if self._last is None or not self._first_key <= key <= self._last[0]:
            raise ValueError(f"row {key} is not one of those observed last")
        row = self._labelled.at(key)
        return None if row is None else (row, int(self._times.take(np.array([row]))[0, 0]))

    def found(self, position: int, keys: pa.Table, known_us: Whole, labels: pa.ChunkedArray, from_key: int) -> None:
        """The next label rows: key columns in the order of the configuration, moments and labels, each (n,).

        `from_key` is the next row to be observed, or a later one, from which on they count; before the first row any
        key is right. A null (or NaN) label, or one with a null in its key, is no label. Afterwards all pairs with
        observed rows are in the files. Raises DataError for types of keys or labels that cannot be used, ValueError
        for label rows that don't go on where those before ended, OSError.
        """
        next_key = 0 if self._last is None else self._last[0] + 1
        if position != self.position or from_key < next_key:
            raise ValueError(
                f"label rows {self.position}… from row {next_key} on were due, not {position}…, {from_key}"
            )
        refuse_other_types(keys.schema)
        values, there = self._values.numbers(labels, position)
        self._found_at.note(position, from_key)
        self.position += len(there)
        for start in range(0, len(there), self._limits.at_once):
            some = slice(start, min(start + self._limits.at_once, len(there)))
            self._find(position, keys, (known_us, values, there), some, from_key == next_key)
        self._say_covered()

    def _find(self, position: int, keys: pa.Table, facts: _Facts, some: slice, at_next: bool) -> None:
        count = some.stop - some.start
        known_us, values, there = facts[0][some], facts[1][some], facts[2][some]
        asked = keys_of(keys.slice(some.start, count), position + some.start)
        asked = asked.at(there[asked.ids - (position + some.start)])
        matches = self._row_keys.find(asked)
        if matches.count > self._limits.pairs_at_once and count > 1:
            for half in _halves(some):
                self._find(position, keys, facts, half, at_next)
            return
        numbers = np.arange(position + some.start, position + some.stop)
        self._labels.put(numbers, np.stack([known_us, values.view(np.int64)], axis=1))
        positions, rows = matches.pairs()
        at = positions - numbers[0]
        pairs = Pairs(rows, positions, known_us[at], values[at], self._times.take(rows)[:, 0])
        self._remember(pairs := self._in_time(pairs))
        self._label_keys.add(asked)
        if self._last is not None:
            now = pairs.known_us <= self._last[1]
            self._early.add(pairs.which(~now))
            self._held = joined([self._held, pairs.which(now)])
            if at_next:
                self._open.remove(pairs.rows[now])

    def observe(self, first_key: int, keys: Sequence[pa.Table], event_time_us: Whole) -> None:
        """The next rows: key columns in the order of the configuration, event time ascending, each (n,).

        `keys` are in pieces that follow each other, as files may write them in types that have none in common, such as
        times of several zones. Afterwards all that is to be known of these rows is in the files: pairs with the label
        rows found so far, and changes up to the last of them. Raises DataError for types of keys that cannot be used,
        ValueError for rows that don't go on where those before ended, OSError.
        """
        if not len(event_time_us):
            return
        last_us = _ENDS.min if self._last is None else self._last[1]
        if self._last is not None and first_key != self._last[0] + 1:
            raise ValueError(f"row {self._last[0] + 1} was due, not {first_key}")
        if event_time_us[0] < last_us or bool((event_time_us[1:] < event_time_us[:-1]).any()):
            raise ValueError(
                f"event time runs back between row {first_key - 1} and {first_key + len(event_time_us) - 1}"
            )
        for piece in keys:
            refuse_other_types(piece.schema)
        if self._last is None:
            self._times.begin(first_key)
            self._pairs.begin(first_key)
        self._labelled.start()
        self._first_key = first_key
        for piece in keys:
            for start in range(0, piece.num_rows, self._limits.at_once):
                some = slice(start, min(start + self._limits.at_once, piece.num_rows))
                self._observe(first_key, piece, event_time_us, some)
            first_key, event_time_us = first_key + piece.num_rows, event_time_us[piece.num_rows :]
        self._say_covered()

    def _say_covered(self) -> None:
        if self._is_of_several_machines:
            self._pairs.flush()
        say_covered(self._folder, Coverage(-1 if self._last is None else self._last[0], self.position))

    def _observe(self, first_key: int, keys: pa.Table, times_us: Whole, some: slice) -> None:
        count = some.stop - some.start
        stretch = Stretch(first_key + some.start, times_us[some], None if self._last is None else self._last[1])
        asked = keys_of(keys.slice(some.start, count), stretch.first)
        matches = self._label_keys.find(asked)
        if matches.count > self._limits.pairs_at_once and count > 1:
            for half in _halves(some):
                self._observe(first_key, keys, times_us, half)
            return
        numbers = np.arange(stretch.first, stretch.stop)
        self._times.put(numbers, stretch.times_us[:, None])
        rows, positions = matches.pairs()
        facts = self._labels.take(positions)
        times = stretch.times_us[rows - stretch.first]
        pairs = self._in_time(Pairs(rows, positions, facts[:, 0].copy(), facts[:, 1].copy().view(np.float64), times))
        self.unlabelled += count
        self._remember(pairs)
        self._row_keys.add(asked)
        self._open.add(numbers, stretch.times_us)
        self._last = stretch.stop - 1, stretch.last_us
        self._go_on(stretch, pairs)

    def _go_on(self, stretch: Stretch, new: Pairs) -> None:
        """Event time went on: what counts from one of these rows on is known, and who waited too long is given up."""
        now = new.known_us <= stretch.last_us
        self._early.add(new.which(~now))
        due = joined([self._held, self._early.take(stretch.last_us), new.which(now)])
        self._found_at.forget(stretch.first)
        from_keys = self._found_at.from_keys(due.positions) if due.size else due.positions
        keys, moments_us = stretch.counts_from(due, from_keys)
        counts = keys < stretch.stop
        self._held = due.which(~counts)
        self._open.remove(due.rows[counts | (from_keys == stretch.stop)])
        if self._patience_us is not None:
            self._open.give_up(max(stretch.last_us - self._patience_us, _ENDS.min))
        if counts.any():
            made = self._changes(stretch, due.which(counts), keys[counts], moments_us[counts])
            self._log.append(made)
            self._labelled.note(made)

    def _changes(self, stretch: Stretch, pairs: Pairs, keys: Whole, moments_us: Whole) -> change.Changes:
        several = self._pairs.several(pairs.rows)
        if not several.any():
            return change.in_order([change.simple_changes(pairs, keys, moments_us)])
        alone = ~several
        simple = change.simple_changes(pairs.which(alone), keys[alone], moments_us[alone])
        mixed = pairs.which(several)
        earlier = self._counted_before(stretch, np.unique(mixed.rows))
        return change.in_order([simple, change.mixed_changes(mixed, keys[several], moments_us[several], earlier)])

    def _counted_before(self, stretch: Stretch, rows: Whole) -> Pairs:
        """The pairs of rows that counted before a stretch."""
        found = []
        for which, positions, known_us, values in self._pairs.each(rows):
            pairs = Pairs(rows[which], positions, known_us, values, np.zeros(len(which), np.int64))
            found.append(pairs.which(stretch.counted_before(pairs, self._found_at.from_keys(positions))))
        return joined(found)

    def _in_time(self, pairs: Pairs) -> Pairs:
        """Without those whose label is known later than patience allows."""
        if self._patience_us is None or not pairs.size:
            return pairs
        latest_us = np.minimum(pairs.times_us, _ENDS.max - self._patience_us) + self._patience_us
        return pairs.which(pairs.known_us <= latest_us)

    def _remember(self, pairs: Pairs) -> None:
        self.unlabelled -= self._pairs.add(pairs)


def _halves(some: slice) -> tuple[slice, slice]:
    middle = (some.start + some.stop) // 2
    return slice(some.start, middle), slice(middle, some.stop)
