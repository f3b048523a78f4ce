"""What a run makes of labels that come late, by the words of the design alone: loops over lists, no care for time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

_EVER = math.inf
_MASK = 2**64 - 1


class Label(NamedTuple):
    """A row of the table of labels; its position is its place in the list."""

    ident: object  # the key columns
    value: float | None
    known_us: int
    from_key: int = 0  # the row that was to be observed next when it was found


@dataclass
class Trigger:
    """What a trigger sees, and what is trained for it."""

    key: int
    known: dict[int, float]  # row → the label that is known of it
    labelled_key: int | None
    selected: list[int]

    @property
    def shown(self):
        """Row → the label that the training is shown of it."""
        return {row: self.known[row] for row in self.selected}


def unit(key):
    """Where a row lies between 0 and 1, for its split."""
    z = (key + 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((z ^ (z >> 31)) >> 11) / 2**53


class LateReference:
    """A stream: rows (key columns, timestamp), and label rows in the order of their positions."""

    def __init__(self, rows, labels, *, test=0.0, patience_us=None):
        self.idents = [ident for ident, _ in rows]
        self.times = list(accumulate((timestamp for _, timestamp in rows), max))
        self.labels, self.test, self.patience_us = labels, test, patience_us
        self.of_ident = {}  # key columns → positions of its labels
        for position, label in enumerate(labels):
            self.of_ident.setdefault(label.ident, []).append(position)

    def train_split(self, row):
        """Whether a row may be trained on."""
        return unit(row) >= self.test

    def test_split(self, row):
        """Whether it is of the test split."""
        return unit(row) < self.test

    def pairs(self, row):
        """(known_at, position) of each label that is a row's."""
        latest = _EVER if self.patience_us is None else self.times[row] + self.patience_us
        own = [(position, self.labels[position]) for position in self.of_ident.get(self.idents[row], ())]
        return [(one.known_us, place) for place, one in own if one.value is not None and one.known_us <= latest]

    def newest(self, pairs):
        """The label that counts among several of a row; None if there is none."""
        return self.labels[max(pairs)[1]].value if pairs else None

    def known_at(self, key):
        """Row → label, of those known when a row was observed: their rows came before or with it, their labels were
        found before it, and its event time has reached the moment from which they are known.
        """
        found = {}
        for row in range(key + 1):
            pairs = [
                (known_us, position)
                for known_us, position in self.pairs(row)
                if known_us <= self.times[key] and self.labels[position].from_key <= key
            ]
            if pairs:
                found[row] = self.newest(pairs)
        return found

    def final(self, rows, event_time_us=_EVER, position=_EVER):
        """Row → label, as known at last, or at a moment at which a window is scored."""
        found = {}
        for row in rows:
            pairs = [pair for pair in self.pairs(row) if pair[0] <= event_time_us and pair[1] < position]
            if pairs:
                found[row] = self.newest(pairs)
        return found

    def waits(self, row, event_time_us, position):
        """Whether a row's label may still come: none is known, and it is not given up."""
        given_up = self.patience_us is not None and event_time_us > self.times[row] + self.patience_us
        return not given_up and not self.final([row], event_time_us, position)

    def unlabelled(self):
        """How many rows never get a label."""
        return sum(not self.pairs(row) for row in range(len(self.times)))

    def keys_by_amount(self, every, first=0):
        """Keys of the triggers of `data_amount`, from the first followed row on."""
        return list(range(first + every - 1, len(self.times), every))

    def keys_by_time(self, every_us, first=0):
        """Keys of the triggers of `time`: the row before one that enters a later period."""
        periods = [(time - self.times[first]) // every_us for time in self.times]
        return [row - 1 for row in range(first + 1, len(periods)) if periods[row] > periods[row - 1]]

    def triggers(self, keys, *, everything=False, tail=0):
        """The triggers at these keys, under strategy `new_data` with a tail, or `all_data`."""
        found = []
        for key in keys:
            known = self.known_at(key)
            before = [{}] * (tail + 1) + [one.known for one in found]
            rows = [row for row in sorted(known) if self.train_split(row)]
            is_empty = all(row in before[-1] for row in rows)
            chosen = rows if everything else [row for row in rows if row not in before[-(tail + 1)]]
            found.append(Trigger(key, known, max(known, default=None), [] if is_empty else chosen))
        return found

    def last(self, trigger, duration_us, split=None):
        """Rows of the window `last: d`, and the labels of those that are known at the trigger."""
        if trigger.labelled_key is None:
            return [], {}
        end = self.times[trigger.labelled_key]
        rows = [
            row
            for row in range(trigger.labelled_key + 1)
            if end - duration_us < self.times[row] and (split is None or split(row))
        ]
        return rows, {row: trigger.known[row] for row in rows if row in trigger.known}

    def windows(self, triggers):
        """(trigger, its rows): those up to the next that is trained, the last one to the end of the stream."""
        trained = [one for one in triggers if one.selected]
        ends = [one.key for one in trained[1:]] + [len(self.times) - 1] * bool(trained)
        return [(one, range(one.key + 1, end + 1)) for one, end in zip(trained, ends, strict=True) if end > one.key]

    def slices(self, every_us, first=0):
        """(first moment, rows) of the slices of an `every` window that have rows, from the first followed row on."""
        found = {}
        for row in range(first, len(self.times)):
            found.setdefault((self.times[row] - self.times[first]) // every_us, []).append(row)
        return [(self.times[first] + number * every_us, rows) for number, rows in found.items()]

    def guesses(self, row):
        """The labels that a row's baselines may know, in the order of their rows."""
        known = self.known_at(row)
        return [known[one] for one in sorted(known) if one < row]
