"""A scene: a dataset with so many triggers, a Redis, the no-op fleet, and the supervisor that is measured."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from benchmarks.processes import end, redis_url, start, start_redis

ROWS_PER_TRIGGER = 100  # so one batch of rows, as the supervisor reads them, fires a hundred triggers
_TAIL = 10  # rows after the last trigger
_ROWS_AT_ONCE = 1_000_000
_SECOND_US = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Variant:
    """What the run is asked to do beside selecting and training."""

    gate: bool
    gate_triggers: int  # the gate's window reaches over so many triggers
    slices: bool  # an `every` window, a slice a trigger, of which the newest two models are scored
    dependent: bool  # each training continues from the model before
    backlog: bool  # the fleet evaluates when there is nothing else to do


@dataclass(kw_only=True)
class Scene:
    """One run of an experiment, in a folder of its own."""

    folder: Path
    triggers: int
    variant: Variant
    profile: Path | None = None
    metrics: bool = False  # whether the supervisor serves them
    redis: subprocess.Popen[bytes] = field(init=False)
    fleet: subprocess.Popen[bytes] = field(init=False)
    supervisor: subprocess.Popen[bytes] = field(init=False)
    _started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        """Write data and files, and start all three processes."""
        (self.folder / "data").mkdir(parents=True)
        _write_rows(self.folder / "data/rows.parquet", self.triggers * ROWS_PER_TRIGGER + _TAIL)
        for name, content in (("pipeline", self._pipeline()), ("config", self._config())):
            (self.folder / f"{name}.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
        self.redis = self._note(start_redis(self.folder))
        double = ["benchmarks.many_triggers.no_op_fleet", redis_url(self.folder)]
        double += ["--backlog"] * self.variant.backlog
        self.fleet = self._note(start(self.folder, "fleet.log", *double))
        arguments = ("run", "pipeline.yaml", "config.yaml", "--experiment-mode", "--run-dir", str(self.run_dir))
        command = ("supervisor", *arguments)
        if self.profile is not None:
            command = ("cProfile", "-o", str(self.profile), "-m", *command)
        self.supervisor = self._note(start(self.folder, "log", *command))

    def end(self) -> None:
        """End everything that was started here."""
        end(self._started)

    @property
    def run_dir(self) -> Path:
        """The run directory."""
        return self.folder / "run"

    def said(self) -> str:
        """The end of both logs, for a run that went wrong."""
        logs = [self.folder / name for name in ("log", "fleet.log")]
        return "\n".join(log.read_text()[-1500:] for log in logs if log.exists())

    def _note(self, process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        self._started.append(process)
        return process

    def _config(self) -> dict[str, Any]:
        return {
            "broker": {"url": redis_url(self.folder)},
            "storage": {"datasets": {"rows": {"uri": "data/*.parquet"}}},
            "fleet": {"train": 0, "evaluate": 0},
            **({"metrics": {"listen": "127.0.0.1:0"}} if self.metrics else {}),
        }

    def _pipeline(self) -> dict[str, Any]:
        windows: list[dict[str, Any]] = [{"name": "next", "window": "until_next_trigger"}]
        if self.variant.slices:
            windows.append({"name": "slices", "window": {"every": f"{ROWS_PER_TRIGGER}s"}})
        pipeline: dict[str, Any] = {
            "pipeline": {"name": "many"},
            "model": {"id": "mlp", "config": {"num_classes": 2}},
            "training": {"use_previous_model": self.variant.dependent},
            "data": {"dataset": "rows"},
            "trigger": {"policy": "data_amount", "every": ROWS_PER_TRIGGER},
            "initial_mode": "replay",
            "evaluation": {"metrics": ["accuracy"], "models": {"newest": 2}, "on": windows},
        }
        if self.variant.gate:
            reach_s = self.variant.gate_triggers * ROWS_PER_TRIGGER
            windows.append({"name": "recent", "window": {"last": f"{reach_s}s"}})
            pipeline["deployment"] = {
                "gate": {"metric": "accuracy", "on": "recent", "at_least": 0.4},
                "targets": [{"kind": "directory", "uri": "deployed"}],
            }
        return pipeline


def _write_rows(path: Path, count: int) -> None:
    """Rows a second apart, which nobody trains on; a few bytes a row."""
    schema = pa.schema([("timestamp", pa.timestamp("us", tz="UTC")), ("x", pa.float32()), ("label", pa.int64())])
    encoding = {"timestamp": "DELTA_BINARY_PACKED"}
    with pq.ParquetWriter(path, schema, use_dictionary=["x", "label"], column_encoding=encoding) as writer:
        for start_key in range(0, count, _ROWS_AT_ONCE):
            keys = np.arange(start_key, min(count, start_key + _ROWS_AT_ONCE))
            columns = [pa.array(keys * _SECOND_US, schema.field(0).type), (keys % 3).astype(np.float32), keys % 2]
            writer.write_table(pa.table(columns, schema=schema))
