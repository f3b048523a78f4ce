"""The index of labels says of each row what the words of the design say, whenever and in whatever order labels come."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pyarrow as pa
import pytest

from shared.labels.as_of import AsOf
from shared.labels.index import LabelIndex
from shared.labels.key_index import Sizes
from shared.labels.writer import LabelIndexWriter, Limits
from tests.unit.labels.plain_join import PlainJoin
from tests.unit.labels.random_tables import RandomTables

TINY = Limits(at_once=7, pairs_at_once=9, resident_bytes=1, sizes=Sizes(in_memory=8, largest=64, at_once=2))
LARGE = Limits()


class Story:
    """The same rows and labels, told to the index and to the plain join."""

    def __init__(self, folder, seed):
        self.random = Random(seed)
        kind = self.random.choice(["number", "text", "both"])
        self.tables = RandomTables(self.random, kind, texts=self.random.random() < 0.3)
        first_key = self.random.choice([0, 0, 17, 65_530, 2**33])
        patience_us = self.random.choice([None, 0, 5, 30])
        self.plain = PlainJoin(first_key, patience_us)
        self.writer = LabelIndexWriter(folder / "index", patience_us, self.random.choice([TINY, LARGE]))
        self.index = LabelIndex(folder / "index")
        self.found_at = []  # (from key, label rows found so far)

    @property
    def next_key(self):
        """The next row to be observed."""
        return self.plain.first_key + len(self.plain.rows)

    def find(self, count, from_key):
        """Label rows are found."""
        labels, position = self.tables.labels(count), len(self.plain.labels)
        keys = self.tables.table([key for key, _, _ in labels])
        known_us = np.array([known_at for _, known_at, _ in labels], np.int64)
        self.writer.found(position, keys, known_us, self.tables.column([value for *_, value in labels]), from_key)
        self.plain.found(labels, from_key)
        self.found_at.append((from_key, len(self.plain.labels)))

    def observe(self, count):
        """Rows are observed."""
        rows, first_key = self.tables.rows(count), self.next_key
        times_us = np.array([time for _, time in rows], np.int64)
        whole, cut = self.tables.table([key for key, _ in rows]), self.random.randint(0, count)
        self.writer.observe(first_key, [whole.slice(0, cut), whole.slice(cut)], times_us)
        self.plain.observe(rows)

    def position_at(self, key):
        """How many label rows a trigger at `key` knows of."""
        return max([0, *(count for from_key, count in self.found_at if from_key <= key)])

    def tell(self, mode):
        """Rows and labels in turns; what is to be seen at once is compared at once."""
        if mode == "experiment":
            self.tables.clock += 20
            self.find(self.random.randrange(120), self.plain.first_key)
            self.tables.clock -= 20
        for _ in range(self.random.randint(1, 9)):
            if mode == "production" and self.random.random() < 0.7:
                later = self.found_at[-1][0] if self.found_at else 0
                ahead = self.random.choice([0, 0, 0, 6])
                self.find(self.random.randrange(30), max(self.next_key + ahead, later))
                self.compare_counts()
            before = self.next_key
            until = self.found_at[-1][0] - before if self.found_at else 0  # rows before the newest label counts
            self.observe(until if until > 0 and self.random.random() < 0.5 else self.random.randint(0, 25))
            self.compare_counts()
            self.compare_labelled_keys(before)
            self.compare_labels_as_of()

    def compare_counts(self):
        """Which rows wait, and how many have no label."""
        assert self.writer.settled_key == self.plain.settled_key()
        assert self.writer.waiting == len(self.plain.open_rows())
        assert self.writer.unlabelled == self.plain.unlabelled()
        assert self.writer.position == len(self.plain.labels)

    def compare_labelled_keys(self, first_key):
        """At some rows of those observed last."""
        rows = range(first_key, self.next_key)
        for key in sorted(self.random.sample(rows, min(3, len(rows)))):
            assert self.writer.known_at(key) == self.plain.labelled(key)

    def compare_labels_as_of(self):
        """Some rows, as of some moment and position."""
        event_time_us = self.random.choice([None, self.tables.clock, self.tables.clock - self.random.randrange(30)])
        position = self.random.choice([None, self.random.randint(0, len(self.plain.labels))])
        keys = sorted(self.random.choices(self.plain.keys, k=self.random.randrange(30))) if self.plain.rows else []
        as_of = AsOf(event_time_us=event_time_us, position=position)
        told = self.index.labels(np.array(keys, np.int64), as_of)
        assert told.to_pylist() == [self.plain.label(key, event_time_us, position) for key in keys]
        assert told.type == self.expected_type(position)

    def expected_type(self, position):
        """By what the labels before a position are."""
        labels = [value for _, _, value, _ in self.plain.labels]
        if any(isinstance(value, str) for value in labels):
            return pa.string()
        fractions = any(value is not None and value != int(value) for value in labels[:position])
        return pa.float64() if fractions else pa.int64()

    def compare_history(self):
        """All changes, and what is new between some triggers."""
        texts = self.index.texts()
        told = [
            (int(e), int(row), *(self.value(one, texts) for one in (value, before)))
            for e, row, value, before, _ in self.index.changes(0, self.next_key)
        ]
        expected = self.plain.changes()
        assert told == expected
        for _ in range(4):
            first, stop = sorted(self.random.choices(range(self.plain.first_key, self.next_key + 1), k=2))
            some = self.index.changes(first, stop)
            assert [(e, row) for e, row, *_ in some.tolist()] == [one[:2] for one in expected if first <= one[0] < stop]
        self.compare_triggers()

    def compare_triggers(self):
        """What becomes known from one trigger to the next, in both orders, with the labels then."""
        if not self.plain.rows:
            return
        triggers = sorted(set(self.random.choices(self.plain.keys, k=4)))
        for before, key in zip([None, *triggers], triggers, strict=False):
            now = self.plain.at_trigger(key)
            old = {} if before is None else self.plain.at_trigger(before)
            new = sorted(set(now) - set(old))
            assert self.index.newly_known(before, key).tolist() == new
            in_order = sorted(new, key=lambda row, key=key: (self.plain.moment(row, key), row))
            assert self.index.in_order_known(before, key).tolist() == in_order
            as_of = AsOf(event_time_us=self.plain.time(key), position=self.position_at(key))
            values = self.plain.values_at(key)
            rows = range(self.plain.first_key, key + 1)
            assert self.index.labels(np.array(rows), as_of).to_pylist() == [values.get(row) for row in rows]

    @staticmethod
    def value(number, texts):
        """A value of a change as it was given."""
        if math.isnan(number):
            return None
        return texts[int(number)] if texts else number


@pytest.mark.parametrize("mode", ["experiment", "production"])
@pytest.mark.parametrize("seed", range(40))
def test_every_answer_is_that_of_the_plain_join(tmp_path, mode, seed):
    """Values, what became known and when, labelled keys, and counts, to the row."""
    story = Story(tmp_path, f"{mode} {seed}")
    story.tell(mode)
    story.compare_history()
    story.index = LabelIndex(tmp_path / "index")
    story.compare_labels_as_of()
