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
from supervisor.triggers.expect import Expect
from supervisor.triggers.policy import Batch, Decision, Observation, StreamStart, Trigger, TriggerPolicy
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
        self.questions: list[Any] = []

    def run(
        self, expect: Any = "usual", *, trained_key: int | None = None, delay_us: int = 0, **sight: Any
    ) -> list[Any]:
        """Follow all files, or those behind `trained_key`; a decision fires at once."""
        times = self.dataset.timestamps_us(0, self.dataset.rows)
        event_time = np.maximum.accumulate(times)
        first_key = 0 if trained_key is None else trained_key + 1
        start = StreamStart(first_key=first_key, event_time_us=int(event_time[first_key]), trained_key=trained_key)
        inner = AtTheEnd({}, start)
        inner.keys = self.last_keys
        guard = Expect(Expect.option.deserialize(expect), inner, start)
        pipeline = SimpleNamespace(data=SimpleNamespace(label_delay_us=delay_us), **sight.pop("pipeline", {}))
        state, key, fired = guard.begin(), first_key, 0
        while key < self.dataset.rows:
            before_us = int(event_time[key - 1]) if key > first_key else None
            batch = Batch(first_key=key, timestamps_us=times[key:], event_time_us=event_time[key:], before_us=before_us)
            told = guard.observe(batch, state)
            key = self.dataset.rows if told.seen_key is None else told.seen_key + 1
            if (question := told.question) is not None:
                self.questions.append(question)
                seen = {"model": None, "model_trigger": None, "seed": 0} | sight
                eyes = Sight(
                    key=question.key,
                    timestamp_us=question.timestamp_us,
                    dataset=self.dataset,
                    pipeline=pipeline,
                    **seen,
                )
                answer = msgspec.json.decode(msgspec.json.encode(Detector(question.options).answer(eyes)))
                told = guard.answer(question, answer, told.state)
            state = told.state
            self.found += [one for one in (told.violation, told.decision) if one is not None]
            if told.decision is not None:
                state = guard.fired(
                    Trigger(number=fired, key=told.decision.key, timestamp_us=told.decision.timestamp_us), state
                )
                fired += 1
        self.state = state
        return self.found
