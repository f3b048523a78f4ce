"""How long a fleet waits for itself: dependent trainings beside evaluations that take five times as long.

    python -m benchmarks.fleet_idle --check

One train and one evaluate worker. First one run of twelve trainings of about two seconds, each going on from the model
before: how much of the time until the last training ends is the train worker idle? Then two such runs on the same
workers: how long does a trained member wait for its gather? With `--check` it exits with 1 if the train worker is idle
for more than a tenth of the time, or a gather waits for more than a second.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from benchmarks import fleet_model
from shared.broker import connect
from shared.fleet import read_fleet
from supervisor.system.embedded_broker import server_program

PROJECT = Path(__file__).resolve().parents[1]
TRIGGERS, EVERY, BATCH = 12, 250, 25
TRAIN_S, EVALUATE_S = 2.0, 10.0  # of each trigger
MODELS = 3  # that a window is scored with: its own, the first, the one deployed
_HOUR_US = 3_600_000_000
_IDLE_SHARE, _GATHER_S = 0.1, 1.0
Report = dict[str, Any]


def write_data(folder: Path) -> None:
    """The rows of all runs, and the module of their model."""
    (folder / "data").mkdir()
    rows = (TRIGGERS + 1) * EVERY
    x = np.random.default_rng(0).normal(size=(rows, 4)).astype(np.float32)
    moments = pa.array(np.arange(rows) * _HOUR_US, pa.timestamp("us", tz="UTC"))
    columns = {f"x{number}": x[:, number] for number in range(4)}
    table = pa.table({"timestamp": moments, **columns, "label": (x[:, 0] > 0).astype(int)})
    pq.write_table(table, folder / "data" / "rows.parquet")
    shutil.copy(fleet_model.__file__, folder / "fleet_model.py")


def write_run(folder: Path, url: str, name: str) -> list[str]:
    """The files of a run; the command that runs it."""
    per_row = {"learn_s": TRAIN_S / EVERY, "answer_s": EVALUATE_S / (EVERY * MODELS)}
    pipeline = {
        "pipeline": {"name": name},
        "model": {"id": "fleet_model:Net", "config": per_row},
        "training": {"epochs": 1, "batch_size": BATCH},
        "data": {"dataset": "rows"},
        "trigger": {"policy": "data_amount", "every": EVERY},
        "initial_mode": "replay",
        "evaluation": {
            "on": [{"name": "next", "window": "until_next_trigger"}, {"name": "recent", "window": {"last": "10h"}}]
        },
        "deployment": {
            "gate": {"metric": "accuracy", "on": "recent", "at_least": 0.0},
            "targets": [{"kind": "directory", "uri": "served"}],
        },
    }
    config = {
        "broker": {"url": url},
        "storage": {"datasets": {"rows": {"uri": "data/*.parquet"}}},
        "fleet": {"train": 0, "evaluate": 0},
        "trusted_modules": ["fleet_model"],
    }
    files = (folder / f"{name}.yaml", folder / f"{name}-config.yaml")
    for file, content in zip(files, (pipeline, config), strict=True):
        file.write_text(yaml.safe_dump(content, sort_keys=False))
    return ["run", *map(str, files), "--experiment-mode", "--quiet", "--run-dir", str(folder / name / "run")]


@contextmanager
def fleet(folder: Path) -> Iterator[str]:
    """A Redis and one worker of each role; its URL."""
    url = f"redis+socket://{folder}/r.sock"
    options = ["--port", "0", "--unixsocket", f"{folder}/r.sock", "--save", "", "--dir", str(folder)]
    processes = [subprocess.Popen([server_program(), *options], stdout=subprocess.DEVNULL)]
    try:
        (folder / "fleet.yaml").write_text(
            yaml.safe_dump({"broker": {"url": url}, "storage": {"datasets": {"a": {"uri": "a"}}}})
        )
        while not (folder / "r.sock").exists():
            time.sleep(0.05)
        for role in ("train", "evaluate"):
            command = ["worker", str(folder / "fleet.yaml"), "--role", role, "--device", "cpu"]
            processes.append(start(command, folder / f"{role}.log"))
        with connect(url) as client:
            while len(read_fleet(client)) < 2:
                time.sleep(0.1)
        yield url
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()


def start(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    """A command of the product, in the background."""
    environment = {**os.environ, "PYTHONPATH": f"{PROJECT}{os.pathsep}{log.parent}"}
    with log.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "supervisor", *command], cwd=PROJECT, env=environment, stdout=file, stderr=file
        )


class Told:
    """What a run's journal says of its tasks: when each was claimed, by whom, and when it was reported."""

    def __init__(self, run_dir: Path) -> None:
        self.claimed: dict[str, tuple[float, str]] = {}
        self.done: dict[str, float] = {}
        for line in (run_dir / "journal.jsonl").read_bytes().splitlines():
            event = json.loads(line)
            report = event.get("report")
            if report is None:
                continue
            task = report["task_id"].partition("/")[2]
            if report["report"] == "claimed":
                self.claimed[task] = (event["time_us"] / 1e6, report["worker"])
            else:
                self.done[task] = event["time_us"] / 1e6

    def waits(self, after: str, stage: str) -> list[float]:
        """Seconds from the report of one stage to the claim of another, by trigger."""
        return [self.claimed[f"{n}/{stage}/0"][0] - self.done[f"{n}/{after}/0"] for n in range(TRIGGERS)]

    def idle_share(self) -> float:
        """Of the train worker, from the first training's claim to the last one's end."""
        began_s, worker = self.claimed["0/train/0"]
        ended_s = self.done[f"{TRIGGERS - 1}/train/0"]
        busy_s = 0.0
        for task, (claimed_s, whose) in self.claimed.items():
            if whose == worker and began_s <= claimed_s < ended_s:
                busy_s += min(self.done[task], ended_s) - claimed_s
        return 1 - busy_s / (ended_s - began_s)


def main() -> None:
    """Measure both; with --check exit 1 if a bound is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet_idle", description=__doc__)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    sound = True
    with tempfile.TemporaryDirectory(prefix="modyn-idle-", dir="/tmp") as place, fleet(Path(place)) as url:
        write_data(Path(place))
        for names in (["alone"], ["one", "other"]):
            commands = {name: write_run(Path(place), url, name) for name in names}
            runs = {name: start(command, Path(place) / f"{name}.log") for name, command in commands.items()}
            codes = {name: run.wait() for name, run in runs.items()}
            for name in names:
                assert codes[name] == 0, (Path(place) / f"{name}.log").read_text()
                told = Told(Path(place) / name / "run")
                idle, gathers = told.idle_share(), told.waits("train", "gather")
                decides = told.waits("evaluate" if "0/evaluate/0" in told.done else "gather", "decide")
                print(
                    f"{name:6} train worker idle {idle:6.1%}   gather waits {max(gathers):.3f} s at most, "
                    f"decide {max(decides):.2f} s",
                    flush=True,
                )
                sound &= max(gathers) <= _GATHER_S and (len(names) > 1 or idle <= _IDLE_SHARE)
    raise SystemExit(1 if arguments.check and not sound else 0)


if __name__ == "__main__":
    main()
