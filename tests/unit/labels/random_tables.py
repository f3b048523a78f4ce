"""Rows and label rows at random: delays, corrections, duplicates, labels that come early, never, or for nobody."""

from __future__ import annotations

import pyarrow as pa

KINDS = {"number": [pa.int64()], "text": [pa.string()], "both": [pa.int32(), pa.string()]}


class RandomTables:
    """Draws rows and label rows; few different keys and moments, so that all of them meet."""

    def __init__(self, random, kind, texts):
        self.random, self.types = random, KINDS[kind]
        self.most = random.choice([5, 30, 200])
        self.delay = random.choice([0, 3, 40])
        self.step = random.choice([0, 1, 4])
        self.clock = random.randrange(50)
        self.values = random.choice([["a", "b", "ü", ""]] if texts else [[0, 1, 2, True], [0.5, 1.0, -2]])

    def key(self):
        """Key columns of one row, sometimes with a null."""
        number = self.random.randrange(self.most)
        columns = [number, f"id-{number % 7}"] if len(self.types) == 2 else [number]
        if pa.types.is_string(self.types[-1]) and len(columns) == 1:
            columns = [f"customer {number}"]
        return tuple(None if self.random.random() < 0.03 else one for one in columns)

    def rows(self, count):
        """(key columns, event time) of the next rows."""
        found = []
        for _ in range(count):
            self.clock += self.random.randint(0, self.step)
            found.append((self.key(), self.clock))
        return found

    def labels(self, count):
        """(key columns, known_at, value) of label rows found now."""
        return [
            (
                self.key(),
                self.clock + self.random.randint(-self.delay - 5, self.delay + 5),
                None if self.random.random() < 0.05 else self.random.choice(self.values),
            )
            for _ in range(count)
        ]

    def table(self, keys):
        """Key columns as Arrow, in some chunks."""
        columns = zip(*keys, strict=True) if keys else [[] for _ in self.types]
        whole = pa.table(
            {f"k{n}": pa.array(column, self.types[n]) for n, column in enumerate(columns)},
        )
        cut = self.random.randint(0, len(keys))
        return pa.concat_tables([whole.slice(0, cut), whole.slice(cut)])

    def column(self, values):
        """Labels as Arrow; numbers of a mixed column as fractions."""
        if any(isinstance(value, float) for value in values):
            values = [None if value is None else float(value) for value in values]
        elif not all(isinstance(value, str) for value in values if value is not None):
            values = [None if value is None else int(value) for value in values]
        return pa.chunked_array([pa.array(values)])
