"""A folder with a small dataset and both YAML files, and the command line to use them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

PROJECT = Path(__file__).resolve().parents[2]
HOUR_US = 3_600_000_000


def table(rows: int, first: int = 0) -> pa.Table:
    """Rows an hour apart; the label says whether x is above a threshold that drifts."""
    keys = np.arange(first, first + rows)
    x = np.random.default_rng(first).normal(size=(rows, 2)).astype(np.float32)
    label = (x[:, 0] + x[:, 1] * np.sin(keys / 300) > 0).astype(np.int64)
    moments = pa.array(keys * HOUR_US, pa.timestamp("us", tz="UTC"))
    return pa.table({"timestamp": moments, "x0": x[:, 0], "x1": x[:, 1], "label": label})


@dataclass
class Workplace:
    """A folder with a dataset and both files, and the command line to use them."""

    folder: Path
    pipeline: dict[str, Any]
    config: dict[str, Any]

    @classmethod
    def small(cls, folder: Path) -> Workplace:
        """2,000 rows in two files, a pipeline that triggers every 500, and one worker of each role."""
        (folder / "data").mkdir()
        for number in range(2):
            pq.write_table(table(1000, number * 1000), folder / "data" / f"part-{number}.parquet")
        pipeline = {
            "pipeline": {"name": "small"},
            "model": {"id": "logistic", "config": {"num_classes": 2}},
            "training": {"epochs": 2, "optimizer": {"name": "SGD", "config": {"lr": 0.1}}},
            "data": {"dataset": "rows", "split": {"test": 0.2}},
            "trigger": {"policy": "data_amount", "every": 500},
            "strategy": {"name": "new_data"},
            "initial_mode": "replay",
            "evaluation": {
                "metrics": ["accuracy", "auroc"],
                "on": [
                    {"name": "next", "window": "until_next_trigger"},
                    {"name": "recent", "window": {"last": "10d"}, "split": "test"},
                    {"name": "months", "window": {"every": "30d"}},
                ],
            },
            "deployment": {
                "gate": {"metric": "accuracy", "on": "recent", "at_least": 0.5, "not_worse_by": 0.5},
                "targets": [{"kind": "directory", "uri": "deployed"}],
            },
        }
        config = {
            "storage": {"datasets": {"rows": {"uri": "data/*.parquet"}}},
            "artifacts": {"uri": "runs"},
            "fleet": {"train": 1, "evaluate": 1, "device": "cpu"},
        }
        return cls(folder, pipeline, config)

    @property
    def run_dir(self) -> Path:
        """Where `run` keeps its run."""
        return self.folder / "run"

    def write(self) -> None:
        """Write both files as they are now."""
        (self.folder / "pipeline.yaml").write_text(yaml.safe_dump(self.pipeline, sort_keys=False))
        (self.folder / "config.yaml").write_text(yaml.safe_dump(self.config, sort_keys=False))

    def command(self, *arguments: str) -> list[str]:
        """The command line that `./modyn-supervisor` runs."""
        return [sys.executable, "-m", "supervisor", *arguments]

    def run(self, *arguments: str, run_dir: str = "run") -> subprocess.CompletedProcess[str]:
        """Run the pipeline in experiment mode and wait for its end."""
        self.write()
        files = (str(self.folder / "pipeline.yaml"), str(self.folder / "config.yaml"))
        command = self.command("run", *files, "--run-dir", str(self.folder / run_dir), *arguments)
        return subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=200, cwd=PROJECT, env=environment()
        )

    def tell(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Type another command, in the workplace's folder."""
        return subprocess.run(
            self.command(*arguments), check=False, capture_output=True, text=True, timeout=100, cwd=self.folder,
            env=environment(),
        )  # fmt: skip

    def summary(self, run_dir: str = "run") -> dict[str, Any]:
        """What the run came to."""
        content: dict[str, Any] = json.loads((self.folder / run_dir / "summary.json").read_text())
        return content

    def use_fleet(self, url: str) -> Workplace:
        """Have this Redis and its workers do the work, and the supervisor start none."""
        self.config |= {"broker": {"url": url}, "fleet": {"train": 0, "evaluate": 0}}
        return self

    def add_file(self, number: int) -> None:
        """A producer writes 1,000 more rows under a hidden name, and renames the file."""
        hidden = self.folder / "data" / ".part.tmp"
        pq.write_table(table(1000, number * 1000), hidden)
        hidden.rename(self.folder / "data" / f"part-{number}.parquet")

    def evaluations(self, run_dir: str = "run") -> list[str]:
        """The lines of evaluations.csv."""
        return (self.folder / run_dir / "evaluations.csv").read_text().splitlines()


def environment() -> dict[str, str]:
    """The environment of a command."""
    return {**os.environ, "PYTHONPATH": str(PROJECT)}
