"""`python -m benchmarks.large_set --rows 200000000`: how fast many rows are selected and trained on, in what memory.

A table of four Parquet files with a timestamp, a label and one feature, all of them small on disk; no split, so that
`all_data` selects every row, and `uniform` half of them; a logistic model learns from them for an epoch, in batches of
16,384. Each step runs as its task does, in a process of its own, from the message to the report. Printed are rows a
second by the clock and of processor time, and the largest memory of the process, PyTorch and mapped pages included.
Bound: 1.5 GB, however many the rows.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from benchmarks.processes import PROJECT, end_in_order_when_asked

LARGEST_MB = 1500.0
_FILES, _ROWS_AT_ONCE = 4, 2**20
_STRATEGIES: dict[str, dict[str, Any]] = {
    "all_data": {"name": "all_data"},
    "uniform": {"name": "uniform", "of": "all", "fraction": 0.5},
}
_PIPELINE: dict[str, Any] = {
    "pipeline": {"name": "large"},
    "model": {"id": "logistic", "config": {"num_classes": 7}},
    "training": {
        "optimizer": {"name": "Adam"},
        "loss": {"name": "CrossEntropyLoss"},
        "device": "cpu",
        "batch_size": 16_384,
        "checkpoint_every_s": 10,
    },
    "data": {"dataset": "rows", "split": {"test": 0.0, "validation": 0.0}},
    "initial_mode": "replay",
    "evaluation": {"metrics": ["accuracy"], "on": [{"name": "next", "window": "until_next_trigger"}]},
}
_CONFIG = {
    "storage": {"datasets": {"rows": {"uri": "data/", "timestamp": "timestamp", "unit": "s", "label": "label"}}},
    "artifacts": {"uri": "runs/"},
}
_SCHEMA = pa.schema({"timestamp": pa.int64(), "label": pa.uint8(), "x": pa.uint8()})


def main() -> None:
    """Measure; with --check exit 1 if a step takes more memory than its bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large_set", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000_000)
    parser.add_argument("--strategy", choices=_STRATEGIES, action="append", help="default: each of them")
    parser.add_argument("--check", action="store_true", help=f"exit 1 beyond {LARGEST_MB:.0f} MB")
    parser.add_argument("--step", choices=_STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step is not None:
        _STEPS[options.step](options.folder, options.rows)
        print(json.dumps({"largest_mb": _largest_mb(), "cpu_s": time.process_time()}))
        return
    end_in_order_when_asked()
    with tempfile.TemporaryDirectory(prefix="modyn-large-set-") as name:
        folder, most_mb = Path(name), 0.0
        write_rows(folder / "data", options.rows)
        for strategy in options.strategy or _STRATEGIES:
            prepare(folder, strategy, options.rows)
            for step in _STEPS:
                most_mb = max(most_mb, measured(folder, step, strategy, options.rows))
    if options.check and most_mb > LARGEST_MB:
        sys.exit(f"beyond {LARGEST_MB:.0f} MB")


def write_rows(folder: Path, rows: int) -> None:
    """The dataset: a row a second; what it holds is periodic, so that it takes no room."""
    folder.mkdir()
    for number in range(_FILES):
        first, stop = rows * number // _FILES, rows * (number + 1) // _FILES
        with pq.ParquetWriter(
            folder / f"{number}.parquet",
            _SCHEMA,
            compression="zstd",
            use_dictionary=["label", "x"],
            column_encoding={"timestamp": "DELTA_BINARY_PACKED"},
        ) as file:
            for start in range(first, stop, _ROWS_AT_ONCE):
                keys = np.arange(start, min(start + _ROWS_AT_ONCE, stop))
                columns = [keys, (keys % 7).astype(np.uint8), (keys % 251).astype(np.uint8)]
                file.write_table(pa.table(columns, schema=_SCHEMA))


def prepare(folder: Path, strategy: str, rows: int) -> None:
    """What a worker of the run is told, as a supervisor tells it: the setup record."""
    from shared.config.load import load_configuration  # noqa: PLC0415 - a step loads no supervisor
    from shared.dataset.discovery import discover  # noqa: PLC0415
    from shared.ids import RunId  # noqa: PLC0415
    from shared.messages.message import encode  # noqa: PLC0415
    from supervisor.system.setup import setup_record  # noqa: PLC0415

    trigger = {"policy": "data_amount", "every": rows}
    pipeline = {**_PIPELINE, "trigger": trigger, "strategy": _STRATEGIES[strategy]}
    files = (folder / "pipeline.yaml", folder / "config.yaml")
    for file, content in zip(files, (pipeline, _CONFIG), strict=True):
        file.write_text(yaml.safe_dump(content))
    configuration = load_configuration(*files, experiment_mode=True)
    root = configuration.system.artifacts_root
    discover(configuration.system.datasets["rows"], root)
    record = setup_record(configuration, RunId("large"), str(folder / "run"), root, serves=False)
    (folder / "record.json").write_text(encode(record))


def measured(folder: Path, step: str, strategy: str, rows: int) -> float:
    """Have a step done and tell what it took; the process's largest memory, MB. Raises CalledProcessError."""
    command = [sys.executable, "-m", __spec__.name, "--step", step, "--folder", str(folder), "--rows", str(rows)]
    began_s = time.monotonic()
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"}
    said = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, check=True)
    wall_s, told = time.monotonic() - began_s, json.loads(said.stdout.splitlines()[-1])
    rate, of_cpu = rows / wall_s / 1e6, rows / told["cpu_s"] / 1e6
    print(
        f"{step}, {strategy}, {rows:,} rows: {wall_s:.1f} s, {rate:.1f} million rows a second, {of_cpu:.1f} of "
        f"processor time; {told['largest_mb']:.0f} MB",
        flush=True,
    )
    return float(told["largest_mb"])


def selected(folder: Path, rows: int) -> None:
    """The select task of the first trigger. Leaves the reference to its set in `set.json`."""
    from shared.ids import TriggerId  # noqa: PLC0415 - a worker's process, and the one that starts it is none
    from shared.messages.message import encode  # noqa: PLC0415
    from shared.messages.reports import Selected  # noqa: PLC0415
    from shared.messages.tasks import SelectTask  # noqa: PLC0415
    from workers.stages import select  # noqa: PLC0415

    key = rows - 1
    task = SelectTask(
        **_of_the_run(folder),
        trigger_id=TriggerId(0),
        first_key=0,
        previous=(),
        trigger_key=key,
        labelled_key=key,
        first_labelled_key=key,
        trigger_timestamp_us=key * 1_000_000,
    )
    report = select.run(_work(folder, task))[0]
    assert isinstance(report, Selected), report
    (folder / "set.json").write_text(encode(report.training_set))


def trained(folder: Path, rows: int) -> None:
    """The train task of the first trigger, on the set that was selected."""
    from shared.artifacts import ArtifactRef  # noqa: PLC0415 - as above
    from shared.ids import TriggerId  # noqa: PLC0415
    from shared.messages.reports import Trained  # noqa: PLC0415
    from shared.messages.tasks import TrainTask  # noqa: PLC0415
    from workers.stages import train  # noqa: PLC0415

    ref = msgspec.json.decode((folder / "set.json").read_bytes(), type=ArtifactRef)
    task = TrainTask(
        **_of_the_run(folder),
        trigger_id=TriggerId(0),
        member=0,
        training_set=ref,
        trigger_key=rows - 1,
        previous_model=None,
    )
    report = train.run(_work(folder, task))[0]
    assert isinstance(report, Trained), report


def _of_the_run(folder: Path) -> dict[str, Any]:
    record = json.loads((folder / "record.json").read_bytes())
    return {"run_id": record["run_id"], "setup_version": record["version"]}


def _work(folder: Path, task: Any) -> Any:
    """A task as a worker's child has it; its broker is asked nothing."""
    from shared.claims import Attempt  # noqa: PLC0415
    from shared.ids import TaskId, WorkerId  # noqa: PLC0415
    from shared.messages.setup_record import SetupRecord  # noqa: PLC0415
    from workers.process.child import Child  # noqa: PLC0415
    from workers.process.settings import WorkerSettings  # noqa: PLC0415
    from workers.stages.work import Work  # noqa: PLC0415

    record = msgspec.json.decode((folder / "record.json").read_bytes(), type=SetupRecord)
    worker = WorkerId("w@here-0123456789ab")
    settings = WorkerSettings(
        role="train",
        hostname="w@here",
        worker=worker,
        lease_s=10.0,
        broker_url="redis://127.0.0.1:1",
        device="cpu",
        slot_folder=folder,
    )
    attempt = Attempt(run_id=record.run_id, task_id=TaskId("large/0/task/0"), number=1, worker=worker)
    return Work(task=task, record=record, attempt=attempt, results=[], child=Child(settings))


def _largest_mb() -> float:
    """The most memory that this process has had."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in status.splitlines() if line.startswith("VmHWM"))


# In the order in which they are done: of each strategy, in the run's folder, for so many rows.
_STEPS: dict[str, Callable[[Path, int], None]] = {"select": selected, "train": trained}


if __name__ == "__main__":
    main()
