"""A feed of files, each of which sets off a trigger, and a run of the guard `expect` over it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from shared.config.system import Dataset
from shared.dataset.discovery import discover
from shared.dataset.table import open_dataset
from supervisor.triggers.guards.expect import Expect
from supervisor.triggers.policy import Batch, Decision, Observation, Question, StreamStart, Trigger, TriggerPolicy
from workers.detection.detector import Sight
from workers.detection.expect import Expect as Detector

ROWS = 500
MINUTE_US = 60_000_000


def feed(number: int, rows: int = ROWS) -> pa.Table:
    """Rows a minute apart; the label follows from temperature and amount."""
    dice = np.random.default_rng(number)
    amount, temperature = dice.lognormal(3, 1, rows), dice.normal(15, 8, rows)
    label = (temperature / 8 + np.log(amount) + dice.normal(0, 0.7, rows) > 5).astype(int)
    return pa.table(
        {
            "time": (number * ROWS + np.arange(rows)) * MINUTE_US,
            "amount": amount,
            "temperature": temperature,
            "seats": dice.integers(1, 9, rows),
            "open": dice.random(rows) < 0.4,
            "carrier": dice.choice(["AA", "BA", "UA"], rows),
            "late": label,
        }
    )


def changed(table: pa.Table, name: str, values: Any) -> pa.Table:
    """With other values in one column."""
    return table.set_column(table.schema.names.index(name), name, pa.array(values))


class AtTheEnd(TriggerPolicy):
    """Decides at these keys."""

    def __init__(self, options: Any, start: StreamStart) -> None:
        self.keys = options["keys"]

    def observe(self, batch: Batch, state: dict[str, Any]) -> Observation:
        """One after the other."""
        for key in self.keys:
            if batch.first_key <= key < batch.stop_key:
                decision = Decision(key=key, timestamp_us=batch.time_at(key), reason="a file")
                return Observation(state=state, decision=decision, seen_key=key)
        return Observation(state=state)


class Feed:
    """Files, and what the guard makes of them."""

    def __init__(self, folder: Path, *tables: pa.Table, **config: Any) -> None:
        (folder / "data").mkdir()
        for number, table in enumerate(tables):
            pq.write_table(table, folder / "data" / f"{number:03}.parquet")
        given = {"kind": "table", "timestamp": "time", "unit": "us", "label": "late", "features": None} | config
        dataset = Dataset(name="feed", uri=str(folder / "data"), image=None, text=None, **given)
        self.dataset = open_dataset(dataset, discover(dataset, str(folder / "runs")))
        self.last_keys = [entry.stop_key - 1 for entry in self.dataset.entries]
        self.found: list[Any] = []  # decisions and violations, in order

    def run(self, expect: Any = "usual", *, trained_key: int | None = None, delay_us: int = 0) -> list[Any]:
        """Follow all files, or those behind `trained_key`; a decision fires at once."""
        times = self.dataset.timestamps_us(0, self.dataset.rows)
        event_time = np.maximum.accumulate(times)
        key = 0 if trained_key is None else trained_key + 1
        start = StreamStart(first_key=key, event_time_us=int(event_time[key]), trained_key=trained_key)
        guard = Expect(Expect.option.deserialize(expect), AtTheEnd({"keys": self.last_keys}, start), start)
        state, before_us = guard.begin(), None
        while key < self.dataset.rows:
            batch = Batch(first_key=key, timestamps_us=times[key:], event_time_us=event_time[key:], before_us=before_us)
            told = guard.observe(batch, state)
            key = self.dataset.rows if told.seen_key is None else told.seen_key + 1
            before_us = int(event_time[key - 1])
            if told.question is not None:
                known = int(np.searchsorted(event_time, told.question.timestamp_us - delay_us, "right")) - 1
                labelled_key = known if delay_us else told.question.key
                told = guard.answer(told.question, self._answer(told.question, labelled_key, delay_us), told.state)
            state = self._fired(guard, told)
        return self.found

    def _answer(self, question: Question, labelled_key: int, delay_us: int) -> Any:
        """As it comes from a worker."""
        sight = Sight(
            key=question.key,
            timestamp_us=question.timestamp_us,
            labelled_key=labelled_key,
            dataset=self.dataset,
            pipeline=SimpleNamespace(data=SimpleNamespace(label_delay_us=delay_us)),
            model=None,
            model_trigger=None,
            seed=0,
        )
        return msgspec.json.decode(msgspec.json.encode(Detector(question.options).answer(sight)))

    def _fired(self, guard: Expect, told: Observation) -> Any:
        """What it said is noted; the state after it."""
        self.found += [one for one in (told.violation, told.decision) if one is not None]
        if told.decision is None:
            return told.state
        trigger = Trigger(number=0, key=told.decision.key, timestamp_us=told.decision.timestamp_us)
        return guard.fired(trigger, told.state)
