"""A scene whose trainings take a given time, and the end of a script that plays such scenes."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from benchmarks.chaos import slow_model
from benchmarks.chaos.scene import Scene
from shared.ids import RunId, TaskId, TriggerId, task_id
from supervisor.system.leftovers import sweep

_TAIL = 8  # rows after the last trigger
_HOUR_US = 3_600_000_000


@dataclass(kw_only=True)
class SlowScene(Scene):
    """One run with workers of its own: `trainers` for training, one for the rest."""

    way: str  # see slow_model
    batch_s: float
    batches: int  # of each training, at least
    triggers: int
    lease_s: float
    trainers: int = 1
    epoch: int = 1  # batches of an epoch, at whose end a training reports its progress

    def set(self) -> None:
        """Write data, model and files."""
        (self.folder / "data").mkdir(parents=True)
        self.disk.mkdir()
        every = self.epoch * slow_model.BATCH
        pq.write_table(_rows(self.triggers * every + _TAIL), self.folder / "data/rows.parquet")
        shutil.copy(slow_model.__file__, self.folder / "slow_model.py")
        epochs = math.ceil(self.batches / self.epoch)
        pipeline = {
            "pipeline": {"name": "slow"},
            "model": {"id": "slow_model:Net", "config": {"way": self.way, "batch_s": self.batch_s}},
            "training": {"epochs": epochs, "batch_size": slow_model.BATCH, "checkpoint_every_s": 0.2},
            "data": {"dataset": "rows"},
            "trigger": {"policy": "data_amount", "every": every},
            "initial_mode": "replay",
        }
        config = {
            "storage": {"datasets": {"rows": {"uri": "data/*.parquet"}}},
            "fleet": {"train": self.trainers, "evaluate": 1, "device": "cpu"},
            "lease": f"{self.lease_s:g}s",
            "trusted_modules": ["slow_model"],
        }
        (self.folder / "pipeline.yaml").write_text(yaml.safe_dump(pipeline, sort_keys=False))
        (self.folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))

    def end(self) -> None:
        """End everything that was started here, and see it gone: what it left can be swept up only then."""
        family: list[psutil.Process] = []
        if self.supervisor is not None and self.supervisor.poll() is None:
            family = psutil.Process(self.supervisor.pid).children(recursive=True)
        super().end()
        psutil.wait_procs(family, timeout=10)

    @property
    def run_id(self) -> RunId | None:
        """The run's id, once its journal has begun."""
        return next((RunId(event["run_id"]) for event in self.events() if event["event"] == "run_started"), None)

    def train_task(self, trigger: int) -> TaskId | None:
        """The id of a trigger's training, once the journal has begun."""
        run_id = self.run_id
        return None if run_id is None else task_id(run_id, TriggerId(trigger), "train")

    def events(self) -> list[dict[str, Any]]:
        """What the journal says; a line that is being written is left out."""
        lines = self.journal.read_bytes().split(b"\n")[:-1] if self.journal.exists() else []
        return [json.loads(line) for line in lines]

    def faults(self) -> dict[str, int]:
        """What the summary says the run survived; empty without one."""
        summary = self.run_dir / "summary.json"
        return dict(json.loads(summary.read_text())["faults"]) if summary.exists() else {}

    def said(self) -> str:
        """The end of the supervisor's log, for a run that went wrong."""
        log = self.folder / "log"
        return log.read_text()[-500:] if log.exists() else ""


@contextmanager
def scenes_folder() -> Iterator[Path]:
    """A folder for scenes. Ctrl+C and SIGTERM end the script in order, and what killed processes left is swept up."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    try:
        with tempfile.TemporaryDirectory(prefix="modyn-chaos-") as folder:
            yield Path(folder)
    finally:
        sweep()


def _leave(number: int, _: FrameType | None) -> None:
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)  # what was started is being ended
    sys.stderr.write(f"{os.linesep}ending what was started …{os.linesep}")
    sys.exit(128 + number)


def _rows(count: int) -> pa.Table:
    """Rows an hour apart; the label says whether x is positive."""
    x = np.random.default_rng(0).normal(size=(count, 4)).astype(np.float32)
    columns = {f"x{number}": x[:, number] for number in range(4)}
    timestamps = pa.array(np.arange(count) * _HOUR_US, pa.timestamp("us", tz="UTC"))
    return pa.table({"timestamp": timestamps, **columns, "label": (x[:, 0] > 0).astype(np.int64)})
