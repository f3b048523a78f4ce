"""A scene: one train and one evaluate worker on a Redis of their own, and experiments that share them, one by one."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from benchmarks.label_delay.streams import Stream
from benchmarks.processes import end, redis_url, start, start_redis
from shared.broker import connect
from shared.fleet import read_fleet

_ROLES = ("train", "evaluate")
_READY_S = 120.0
_DAY_US = 86_400_000_000


@dataclass(frozen=True, kw_only=True)
class Question:
    """One experiment: a stream whose labels are known `delay_days` after their rows."""

    name: str  # of the stream
    delay_days: int
    every: str  # between two triggers
    strategy: str
    in_table: bool  # labels stand in a table of their own, each with the moment from which it is known


@dataclass(kw_only=True)
class Scene:
    """A folder with streams, their files and runs."""

    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def set(self) -> None:
        """Start Redis and both workers, and wait until they are ready. Raises RuntimeError."""
        self.processes.append(start_redis(self.folder))
        self._write("config", self._config({"uri": str(self.folder / "data")}, "any"))
        for role in _ROLES:
            arguments = ("worker", "config.yaml", "--role", role, "--device", "cpu")
            self.processes.append(start(self.folder, "workers.log", "supervisor", *arguments))
        client, give_up_s = connect(redis_url(self.folder)), time.monotonic() + _READY_S
        while len(read_fleet(client)) < len(_ROLES):
            if time.monotonic() > give_up_s or any(one.poll() is not None for one in self.processes):
                raise RuntimeError(f"workers are not ready:\n{(self.folder / 'workers.log').read_text()[-1000:]}")
            time.sleep(0.1)

    def end(self) -> None:
        """End everything that was started here."""
        end(self.processes)

    def ask(self, question: Question, stream: Stream) -> Path:
        """Run one experiment to its end: its run directory. Raises RuntimeError if it fails."""
        name = f"{question.name}-{question.delay_days}d{'-table' * question.in_table}"
        dataset = self._place(question, stream, name)
        config = self._write(f"{name}.config", self._config(dataset, name))
        pipeline = self._write(f"{name}.pipeline", _pipeline(question, name))
        run_dir = self.folder / "runs" / name
        arguments = ("run", str(pipeline), str(config), "--experiment-mode", "--run-dir", str(run_dir))
        supervisor = start(self.folder, f"{name}.log", "supervisor", *arguments)
        self.processes.append(supervisor)
        if supervisor.wait() != 0:
            said = (self.folder / f"{name}.log").read_text()[-1000:]
            raise RuntimeError(f"{name}: exit {supervisor.returncode}\n{said}")
        return run_dir

    def _place(self, question: Question, stream: Stream, name: str) -> dict[str, Any]:
        """Write the rows, and the labels beside them if they stand apart: the dataset's configuration."""
        folder = self.folder / "data" / name
        folder.mkdir(parents=True)
        if not question.in_table:
            pq.write_table(stream.rows, folder / "rows.parquet")
            return {"uri": str(folder / "rows.parquet"), **stream.config}
        ids = np.arange(stream.rows.num_rows)
        known_at = pc.add(stream.rows["timestamp"], pa.scalar(question.delay_days * _DAY_US, pa.duration("us")))
        labels = pa.table({"id": ids, "label": stream.rows["label"], "known_at": known_at})
        pq.write_table(stream.rows.drop_columns("label").append_column("id", pa.array(ids)), folder / "rows.parquet")
        pq.write_table(labels, folder / "labels.parquet")
        apart = {"uri": str(folder / "labels.parquet"), "key": ["id"]}
        return {"uri": str(folder / "rows.parquet"), "labels": apart, **stream.config}

    def _config(self, dataset: dict[str, Any], name: str) -> dict[str, Any]:
        return {
            "broker": {"url": redis_url(self.folder)},
            "storage": {"datasets": {name: dataset}},
            "fleet": dict.fromkeys(_ROLES, 0),
        }

    def _write(self, name: str, content: dict[str, Any]) -> Path:
        file = self.folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump(content, sort_keys=False))
        return file


def _pipeline(question: Question, dataset: str) -> dict[str, Any]:
    """A small network that goes on from trigger to trigger, or starts anew where it learns from all rows each time."""
    data: dict[str, Any] = {"dataset": dataset}
    if not question.in_table:
        data["label_delay"] = f"{question.delay_days}d"
    return {
        "pipeline": {"name": dataset},
        "model": {"id": "mlp", "config": {"hidden": [32], "num_classes": 2}},
        "training": {
            "use_previous_model": question.strategy == "new_data",
            "epochs": 4,
            "optimizer": {"name": "Adam", "config": {"lr": 0.002}},
            "device": "cpu",
        },
        "data": data,
        "trigger": {"policy": "time", "every": question.every},
        "strategy": {"name": question.strategy},
        "initial_mode": "replay",
        "evaluation": {"metrics": ["accuracy", "log_loss"]},
    }
