"""Rows and label rows joined by the words of the design alone: lists, loops and no care for time."""

from __future__ import annotations


class PlainJoin:
    """All that was observed and found. `rows`: (key columns, event time); `labels`: (key columns, known_at, value)."""

    def __init__(self, first_key, patience_us):
        self.first_key, self.patience_us = first_key, patience_us
        self.rows, self.labels = [], []
        self._pairs = {}  # those worked out since label rows were found last

    def observe(self, rows):
        """(key columns, event time) each."""
        self.rows += rows

    def found(self, labels, from_key):
        """(key columns, known_at, value) each."""
        self.labels += [(*label, from_key) for label in labels]
        self._pairs = {}

    @property
    def keys(self):
        """Keys of all observed rows."""
        return range(self.first_key, self.first_key + len(self.rows))

    def time(self, key):
        """Event time at a row."""
        return self.rows[key - self.first_key][1]

    def pairs(self, row):
        """(known_at, position) of each label of a row."""
        if row not in self._pairs:
            self._pairs[row] = self._find_pairs(row)
        return self._pairs[row]

    def _find_pairs(self, row):
        columns, time = self.rows[row - self.first_key]
        found = []
        if None not in columns:
            for position, (others, known_at, value, _) in enumerate(self.labels):
                in_time = self.patience_us is None or known_at <= time + self.patience_us
                if value is not None and columns == others and in_time:
                    found.append((known_at, position))
        return found

    def label(self, row, event_time_us, position):
        """The value of a row as of a moment and a position."""
        known = [
            (known_at, place)
            for known_at, place in self.pairs(row)
            if (event_time_us is None or known_at <= event_time_us) and (position is None or place < position)
        ]
        return self.labels[max(known)[1]][2] if known else None

    def at_trigger(self, key):
        """{row: pairs} of the rows known at a trigger at `key`."""
        known = {}
        for row in self.keys:
            if row <= key:
                pairs = [
                    (known_at, place)
                    for known_at, place in self.pairs(row)
                    if known_at <= self.time(key) and self.labels[place][3] <= key
                ]
                if pairs:
                    known[row] = pairs
        return known

    def values_at(self, key):
        """{row: value} of the rows known at a trigger at `key`."""
        return {row: self.labels[max(pairs)[1]][2] for row, pairs in self.at_trigger(key).items()}

    def changes(self):
        """(e, row, value, before), one key after the other."""
        found, before = [], {}
        for key in self.keys:
            now = self.values_at(key)
            found += [(key, row, now[row], before.get(row)) for row in sorted(now) if now[row] != before.get(row)]
            before = now
        return found

    def moment(self, row, key):
        """When a row that is known at `key` became known."""
        moments = []
        for known_at, place in self.at_trigger(key)[row]:
            from_key = self.labels[place][3]
            discovered = [self.time(from_key - 1)] if from_key > self.first_key else []
            moments.append(max([known_at, self.time(row), *discovered]))
        return min(moments)

    def labelled(self, key):
        """(labelled key, its event time), or None."""
        known = self.at_trigger(key)
        return (max(known), self.time(max(known))) if known else None

    def open_rows(self):
        """Rows that are neither known nor given up."""
        if not self.rows:
            return []
        last = self.keys[-1]
        now, found = self.time(last), []
        for row in self.keys:
            known = any(known_at <= now and self.labels[place][3] <= last + 1 for known_at, place in self.pairs(row))
            given_up = self.patience_us is not None and now > self.time(row) + self.patience_us
            if not known and not given_up:
                found.append(row)
        return found

    def settled_key(self):
        """The last row before the first one that waits."""
        waiting = self.open_rows()
        if waiting:
            return waiting[0] - 1
        return self.keys[-1] if self.rows else -1

    def unlabelled(self):
        """How many rows have no label at all."""
        return sum(not self.pairs(row) for row in self.keys)
