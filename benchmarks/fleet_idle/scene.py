"""A scene: one train and one evaluate worker on a Redis of their own, and runs that share them."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from benchmarks.fleet_idle import unequal_model
from benchmarks.processes import end, redis_url, start, start_redis
from shared.broker import connect
from shared.fleet import read_fleet

_BATCHES = 4  # of a training
_EVERY = _BATCHES * unequal_model.BATCH  # rows
_TAIL = 16  # rows after the last trigger
_RECENT = 4  # rows that the gate looks at, an hour apart
_NEXT_BY = 3  # models that are scored on the window until the next trigger, at most
_HOUR_US = 3_600_000_000
_ROLES = ("train", "evaluate")


@dataclass(kw_only=True)
class Scene:
    """Runs that share two workers; each training takes `training_s`, and what follows from its model `evaluation_s`."""

    folder: Path
    triggers: int
    training_s: float
    evaluation_s: float
    supervisors: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    others: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def set(self) -> None:
        """Write data, model and files; start Redis and both workers, and wait until they are ready."""
        (self.folder / "data").mkdir(parents=True)
        pq.write_table(_rows(self._row_count), self.folder / "data/rows.parquet")
        shutil.copy(unequal_model.__file__, self.folder / "unequal_model.py")
        config = {
            "broker": {"url": redis_url(self.folder)},
            "storage": {"datasets": {"rows": {"uri": "data/*.parquet"}}},
            "fleet": {"train": 0, "evaluate": 0},
            "trusted_modules": ["unequal_model"],
        }
        (self.folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
        self.others.append(start_redis(self.folder))
        for role in _ROLES:
            arguments = ("worker", "config.yaml", "--role", role, "--device", "cpu")
            self.others.append(start(self.folder, "workers.log", "supervisor", *arguments))
        client = connect(redis_url(self.folder))
        while len(read_fleet(client)) < len(_ROLES):
            time.sleep(0.1)

    def start(self, name: str) -> None:
        """Start one run."""
        (self.folder / f"{name}.yaml").write_text(yaml.safe_dump(self._pipeline(name), sort_keys=False))
        arguments = ("run", f"{name}.yaml", "config.yaml", "--experiment-mode", "--run-dir", str(self._run_dir(name)))
        self.supervisors[name] = start(self.folder, f"{name}.log", "supervisor", *arguments)

    def wait_for(self, report: str) -> None:
        """Wait until every trigger of every run was reported so. Raises RuntimeError if a run ends without."""
        for name, supervisor in self.supervisors.items():
            while self._reports(name)[report] < self.triggers:
                if supervisor.poll() is not None and self._reports(name)[report] < self.triggers:
                    raise RuntimeError(f"run {name} ended early:\n{(self.folder / f'{name}.log').read_text()[-1000:]}")
                time.sleep(0.2)

    def end(self) -> None:
        """End everything that was started here."""
        end([*self.others, *self.supervisors.values()])

    def journal(self, name: str) -> list[bytes]:
        """The lines of a run's journal; one that is being written is left out."""
        journal = self._run_dir(name) / "journal.jsonl"
        return journal.read_bytes().split(b"\n")[:-1] if journal.exists() else []

    def files(self, name: str) -> tuple[Path, Path]:
        """Both YAML files of a run."""
        return self.folder / f"{name}.yaml", self.folder / "config.yaml"

    @property
    def _row_count(self) -> int:
        return self.triggers * _EVERY + _TAIL

    def _run_dir(self, name: str) -> Path:
        return self.folder / "runs" / name

    def _reports(self, name: str) -> Counter[str]:
        events = map(json.loads, self.journal(name))
        return Counter(event["report"]["report"] for event in events if event["event"] == "reported")

    def _pipeline(self, name: str) -> dict[str, Any]:
        """All models are scored on all slices: a replay knows every slice before its first model is trained."""
        scored_rows = self._row_count + _NEXT_BY * _EVERY
        time_of = {"batch_s": self.training_s / _BATCHES, "row_s": self.evaluation_s / scored_rows}
        return {
            "pipeline": {"name": name},
            "model": {"id": "unequal_model:Net", "config": time_of},
            "training": {"batch_size": unequal_model.BATCH, "use_previous_model": True},
            "data": {"dataset": "rows"},
            "trigger": {"policy": "data_amount", "every": _EVERY},
            "initial_mode": "replay",
            "evaluation": {
                "metrics": ["accuracy"],
                "on": [
                    {"name": "next", "window": "until_next_trigger"},
                    {"name": "recent", "window": {"last": f"{_RECENT}h"}},
                    {"name": "matrix", "window": {"every": f"{_EVERY}h"}},
                ],
            },
            "deployment": {
                "gate": {"metric": "accuracy", "on": "recent", "at_least": 0.0},
                "targets": [{"kind": "directory", "uri": f"deployed/{name}"}],
            },
        }


def _rows(count: int) -> pa.Table:
    """Rows an hour apart; the label says whether x is positive."""
    x = np.random.default_rng(0).normal(size=(count, 4)).astype(np.float32)
    columns = {f"x{number}": x[:, number] for number in range(4)}
    timestamps = pa.array(np.arange(count) * _HOUR_US, pa.timestamp("us", tz="UTC"))
    return pa.table({"timestamp": timestamps, **columns, "label": (x[:, 0] > 0).astype(np.int64)})
