"""`python -m benchmarks.validate_rows --rows 10000000`: how long `validate` takes on a large table, and its memory.

A timestamp, a label and eight features (fractions, whole numbers, texts, some nulls) in several files; the embedded
broker, one train and one evaluate worker. Printed are time, processor time of all processes, and the largest memory of
the supervisor, of each try and as medians. Bounds, for Parquet: 10 s and 1 GB. On a machine that does other things too,
look at the processor time.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import yaml

from benchmarks.processes import PROJECT, end_in_order_when_asked

SLOWEST_S, LARGEST_MB = 10.0, 1000.0
_PIPELINE = {
    "pipeline": {"name": "large"},
    "model": {"id": "logistic", "config": {"num_classes": 2}},
    "training": {"optimizer": {"name": "Adam"}, "loss": {"name": "CrossEntropyLoss"}},
    "data": {"dataset": "rows"},
    "trigger": {"policy": "time", "every": "7d"},
    "strategy": {"name": "new_data"},
    "initial_mode": "replay",
    "evaluation": {"metrics": ["accuracy"], "on": [{"name": "next", "window": "until_next_trigger"}]},
}
_CONFIG = {
    "storage": {"datasets": {"rows": {"uri": "data/", "timestamp": "timestamp", "label": "late"}}},
    "artifacts": {"uri": "runs/"},
    "fleet": {"train": 1, "evaluate": 1, "device": "cpu"},
}


class Try(NamedTuple):
    """What one `validate` took."""

    wall_s: float
    cpu_s: float
    supervisor_mb: float


def main() -> None:
    """Measure; with --check exit 1 if a median is beyond its bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.validate_rows", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--format", choices=("parquet", "csv"), default="parquet")
    parser.add_argument("--tries", type=int, default=3)
    parser.add_argument("--check", action="store_true", help="exit 1 beyond 10 s or 1 GB")
    options = parser.parse_args()
    end_in_order_when_asked()
    with tempfile.TemporaryDirectory(prefix="modyn-validate-") as name:
        folder = Path(name)
        write(folder, options.rows, options.files, options.format)
        tries = [validate(folder) for _ in range(options.tries)]
    for one in (*tries, median := Try(*(statistics.median(values) for values in zip(*tries, strict=True)))):
        told = "median: " if one is median else ""
        print(f"{told}{one.wall_s:.1f} s, {one.cpu_s:.1f} s of processors, supervisor {one.supervisor_mb:.0f} MB")
    if options.check and (median.wall_s > SLOWEST_S or median.supervisor_mb > LARGEST_MB):
        sys.exit(f"beyond {SLOWEST_S:.0f} s or {LARGEST_MB:.0f} MB")


def write(folder: Path, rows: int, files: int, suffix: str) -> None:
    """The dataset and both YAML files."""
    (folder / "data").mkdir()
    for number in range(files):
        part = _rows(rows * number // files, rows * (number + 1) // files)
        path = folder / "data" / f"part-{number:03d}.{suffix}"
        pq.write_table(part, path) if suffix == "parquet" else pa_csv.write_csv(part, path)
    for name, content in (("pipeline", _PIPELINE), ("config", _CONFIG)):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content))


def _rows(first: int, stop: int) -> pa.Table:
    """Every three seconds one, some of them late."""
    random, rows = np.random.default_rng(first), stop - first
    moments = np.arange(first, stop) * 3_000_000 + random.integers(0, 4_000_000, rows)
    temperature = random.normal(size=rows)
    temperature[random.random(rows) < 0.01] = np.nan
    return pa.table(
        {
            "timestamp": pa.array(moments, pa.timestamp("us")),
            "late": random.integers(0, 2, rows),
            "distance": random.normal(size=rows),
            "delay": random.normal(size=rows).astype(np.float32),
            "temperature": temperature,
            "wind": random.normal(size=rows),
            "hour": random.integers(0, 24, rows),
            "seats": random.integers(50, 400, rows).astype(np.int32),
            "airport": np.array([f"airport-{one}" for one in range(300)])[random.integers(0, 300, rows)],
            "carrier": np.array(["AA", "B6", "DL", "EV", "UA"])[random.integers(0, 5, rows)],
        }
    )


def validate(folder: Path) -> Try:
    """One `validate` in experiment mode. Raises CalledProcessError if it does not end with 0."""
    command = [sys.executable, "-m", "supervisor", "validate", "pipeline.yaml", "config.yaml", "--experiment-mode"]
    before, started_s, largest_mb = _cpu_s(), time.monotonic(), 0.0
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            largest_mb = max(largest_mb, _largest_mb(process.pid))
            time.sleep(0.05)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Try(time.monotonic() - started_s, _cpu_s() - before, largest_mb)


def _cpu_s() -> float:
    """Of all processes that have ended below this one."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _largest_mb(pid: int) -> float:
    """The most memory that a process has had so far; its children's is not counted."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:  # it has ended
        return 0.0
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM")), 0.0)


if __name__ == "__main__":
    main()
