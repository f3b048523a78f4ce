"""Streams whose labels come late, at random: delays, corrections, duplicates, early ones, and such as never come."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import lookup
import pyarrow as pa
import pyarrow.parquet as pq
from late_reference import Label, LateReference
from one_process import OneProcess
from workplace import Workplace

DAY_US = 86_400_000_000
_BEGIN_US = 1_700_000_000_000_000
CLASSES = 3


@dataclass
class LateStory:
    """Rows and labels of one seed, and the pipeline that they go through."""

    seed: int
    numbers: bool = True  # whether labels are numbers, each another: so it shows which label row it was
    dice: random.Random = field(init=False)
    rows: list[tuple[int, int]] = field(default_factory=list)  # (id, timestamp)
    labels: list[Label] = field(default_factory=list)

    def __post_init__(self):
        self.dice = dice = random.Random(self.seed)
        self.patience_us = dice.choice([None, None, 5 * DAY_US, 12 * DAY_US])
        self.as_text = dice.random() < 0.5  # the key column
        self.test = dice.choice([0.0, 0.2])
        self.every = dice.choice([5, 23, 40])
        self.period_days = dice.choice([None, None, 6])
        self.strategy, self.tail = dice.choice([("new_data", 0), ("new_data", 0), ("new_data", 2), ("all_data", 0)])
        self.least_lag_days = dice.choice([0, 0, 6])  # else hardly a trigger has nothing new
        self._stream(dice.randint(60, 90) if self.every == 5 else dice.randint(120, 200))

    def _stream(self, count):
        """Several rows have one id, some rows are older than the one before, and a few labels are of nobody."""
        dice, now = self.dice, _BEGIN_US
        ids = dice.randint(count // 2, 2 * count)
        for _ in range(count):
            now += dice.choice([0, DAY_US // 8, DAY_US // 3])
            self.rows.append((dice.randrange(ids), now - dice.choice([0, 0, 0, 2 * DAY_US])))
        found, delay = [], dice.choice([1, 4, 20])
        for ident in range(ids + 5):
            times = [time for one, time in self.rows if one == ident] or [now]
            for _ in range(dice.choice([0, 1, 1, 1, 2, 3])):
                lag = dice.choice([-3, 0, dice.expovariate(1 / delay), dice.expovariate(1 / delay)])
                moment = dice.choice(times) + round((lag + self.least_lag_days) * DAY_US)
                found += [(ident, moment)] * dice.choice([1, 1, 1, 2])
        dice.shuffle(found)
        self.labels = [Label(ident, self._value(place), moment) for place, (ident, moment) in enumerate(found)]

    def _value(self, place):
        if self.dice.random() < 0.05:
            return None
        return float(place + 1) if self.numbers else float(self.dice.randrange(CLASSES))

    def reference(self) -> LateReference:
        """What must come of it."""
        return LateReference(self.rows, self.labels, test=self.test, patience_us=self.patience_us)

    def triggers(self, reference, everything=0):
        """Those of the reference, under this pipeline; the first over so many rows that were there, if any."""
        keys = [everything - 1] if everything else []
        keys += (
            reference.keys_by_time(self.period_days * DAY_US, everything)
            if self.period_days
            else reference.keys_by_amount(self.every, everything)
        )
        return reference.triggers(keys, everything=self.strategy == "all_data", tail=self.tail)

    def prepare(self, small: Workplace) -> Workplace:
        """Say in both files of a workplace what is learned, and from what; no row is there yet."""
        for file in (small.folder / "data").iterdir():
            file.unlink()
        (small.folder / "labels").mkdir()
        labels: dict[str, Any] = {"uri": "labels", "key": ["id"]}
        if self.patience_us is not None:
            labels["patience"] = f"{self.patience_us // DAY_US}d"
        small.config["storage"]["datasets"]["rows"] = {"uri": "data", "labels": labels, "image": lookup.PIXELS}
        small.config["trusted_modules"] = ["lookup"]
        rows = {"rows": len(self.rows)}
        small.pipeline |= {
            "model": {"id": "lookup:Numbers", "config": rows}
            if self.numbers
            else {"id": "lookup:Classes", "config": {**rows, "num_classes": CLASSES}},
            "training": {**lookup.TRAINING, "use_previous_model": False},
            "data": {"dataset": "rows", "split": {"test": self.test}},
            "trigger": {"policy": "time", "every": f"{self.period_days}d"}
            if self.period_days
            else {"policy": "data_amount", "every": self.every},
            "strategy": {"name": self.strategy, **({"config": {"tail": self.tail}} if self.tail else {})},
        }
        small.pipeline["training"]["loss"] = {"name": "MSELoss" if self.numbers else "CrossEntropyLoss"}
        small.pipeline["evaluation"] |= {"metrics": ["mae" if self.numbers else "accuracy"]}
        small.pipeline["evaluation"]["on"] = [
            {"name": "next", "window": "until_next_trigger"},
            {"name": "recent", "window": {"last": "9d"}},
            {"name": "tested", "window": {"last": "4d"}, "split": "test"},
            {"name": "weeks", "window": {"every": "7d"}},
        ]
        small.pipeline["deployment"]["gate"] = {
            "metric": small.pipeline["evaluation"]["metrics"][0],
            "on": "recent",
            "at_least": 1e9 if self.numbers else 0.0,
        }
        return small

    def write_rows(self, small: Workplace, first, stop):
        """A file of the rows from one key to before another."""
        some = self.rows[first:stop]
        table = pa.table(
            {
                "timestamp": pa.array([time for _, time in some], pa.timestamp("us", tz="UTC")),
                "id": self._ids([ident for ident, _ in some]),
                "pixels": pa.array([lookup.pixels(key) for key in range(first, stop)], pa.binary()),
            }
        )
        _put(table, small.folder / "data" / f"{first:06d}.parquet")

    def write_labels(self, small: Workplace, first, stop):
        """A file of the label rows from one position to before another."""
        some = self.labels[first:stop]
        table = pa.table(
            {
                "id": self._ids([one.ident for one in some]),
                "label": pa.array([None if one.value is None else int(one.value) for one in some], pa.int64()),
                "known_at": pa.array([one.known_us for one in some], pa.timestamp("us", tz="UTC")),
            }
        )
        _put(table, small.folder / "labels" / f"{first:06d}.parquet")

    def write(self, small: Workplace) -> Workplace:
        """All of it, in two files each."""
        rows, labels = len(self.rows), len(self.labels)
        for first, stop in ((0, rows // 3), (rows // 3, rows)):
            self.write_rows(small, first, stop)
        for first, stop in ((0, labels // 2), (labels // 2, labels)):
            self.write_labels(small, first, stop)
        return small

    def _ids(self, ids):
        return pa.array([f"customer {one}" for one in ids]) if self.as_text else pa.array(ids, pa.int64())


def _put(table, path):
    """As a producer does: under a hidden name first."""
    hidden = path.with_name(f".{path.name}")
    pq.write_table(table, hidden)
    hidden.rename(path)


def follow(story: LateStory, run: OneProcess, everything: int) -> list[tuple[int, int, int]]:
    """Tell a run a story: files of rows and of labels come one by one, in any order, and between them it works.

    What was told when: (first position, rows seen, triggers fired) before each file of labels.
    """
    dice, small = story.dice, run.small
    rows, labels = everything, 0
    told = []
    run.begin()
    run.alive(run.look)
    while rows < len(story.rows) or labels < len(story.labels):
        if rows < len(story.rows) and (labels == len(story.labels) or dice.random() < 0.5):
            stop = min(len(story.rows), rows + dice.randint(1, 30))
            story.write_rows(small, rows, stop)
            rows = stop
        else:
            stop = min(len(story.labels), labels + dice.randint(1, 90))
            told.append((labels, rows, len(run.state.triggers)))
            story.write_labels(small, labels, stop)
            labels = stop
        run.alive(run.look)
        while not run.observer.at_end or run.observer.is_behind:
            run.turn()
        for _ in range(dice.choice([0, 1, 5])):
            run.turn()
    while run.turn():
        pass
    run.stop()
    return told
