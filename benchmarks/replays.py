"""`python -m benchmarks.replays`: how long policies take that are replayed on a recorded stream, without trainings.

45,000 rows, half an hour apart, are read once. Then 1,000 policies of several kinds see them all, some with guards, and
fire about a hundred times each. None asks a question: detectors take as long as they take. The bound is 60 s of
processor time.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from shared.config.load import load_configuration
from shared.config.pipeline import Trigger
from shared.strategies.build import strategy_of
from shared.temporary import scratch_folder
from supervisor.backtest.planning.train_rows import TrainRows
from supervisor.backtest.planning.without_training import WithoutTraining
from supervisor.backtest.replaying.recording import open_recording
from supervisor.backtest.replaying.replay import replay
from supervisor.run.start.first_events import Scope

ROWS, POLICIES, LONGEST_S = 45_000, 1_000, 60.0
HALF_AN_HOUR_US = 1_800_000_000
PIPELINE: dict[str, Any] = {
    "pipeline": {"name": "replays"},
    "model": {"id": "logistic", "config": {"num_classes": 2}},
    "training": {"use_previous_model": False, "epochs": 1, "optimizer": {"name": "SGD", "config": {"lr": 0.1}}},
    "data": {"dataset": "rows", "split": {"test": 0.1}},
    "strategy": {"name": "all_data"},
    "initial_mode": "replay",
    "evaluation": {"metrics": ["accuracy"], "on": [{"name": "next", "window": "until_next_trigger"}]},
}
CONFIG = {"storage": {"datasets": {"rows": {"uri": "rows.parquet"}}}, "artifacts": {"uri": "runs"}}


def main() -> None:
    """Measure; with --check exit 1 beyond the bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replays", description=__doc__.splitlines()[0])
    parser.add_argument("--policies", type=int, default=POLICIES)
    parser.add_argument("--check", action="store_true", help="exit 1 beyond the bound")
    options = parser.parse_args()
    with scratch_folder("replays") as folder:
        blocks = [trigger_of(folder, block) for block in policies()]
        recording = open_recording(written(folder, policies()[0]), Scope(experiment=True), folder / "found")
        pipeline, stream = recording.configuration.pipeline, recording.stream
        strategy, fired, started_s = strategy_of(pipeline.strategy), list[int](), time.process_time()
        for number in range(options.policies):
            block = blocks[number % len(blocks)]
            costs = WithoutTraining(block, TrainRows(pipeline, stream.dataset, 0), None)
            found = replay(block, stream, Nobody(), costs, strategy=strategy, labelling=recording.labelling())
            fired.append(len(found.fired))
        taken_s = time.process_time() - started_s
    print(
        f"{options.policies:,} policies on {stream.rows:,} rows: {taken_s:.1f} s of processor time, "
        f"{sum(fired) / len(fired):.0f} triggers each ({min(fired)} to {max(fired)})"
    )
    if options.check and taken_s > LONGEST_S:
        sys.exit(f"beyond the bound of {LONGEST_S:.0f} s")


class Nobody:
    """Is asked nothing."""

    def answer(self, posed: object, model: object) -> dict[str, Any]:
        """There is no question."""
        raise AssertionError("these policies ask nothing")


def policies() -> list[dict[str, Any]]:
    """Blocks of `trigger:`."""
    return list(_policies())


def _policies() -> Iterator[dict[str, Any]]:
    amount, weekly = {"policy": "data_amount", "every": 450}, {"policy": "time", "every": "9d"}
    yield amount
    yield weekly
    yield {"policy": "schedule", "cron": "0 3 */9 * *"}
    yield {**amount, "cool_down": "8d"}
    yield {**amount, "budget": {"gpu_hours": 10, "per": "30d", "seconds_per_sample": 0.001}}
    costs = {"per_training_second": 1.0, "seconds_per_sample": 0.001}
    yield {"policy": "cost", "every": "9d", "regret": "latency", **costs}
    yield {"policy": "ensemble", "policies": [amount, weekly], "combine": "any", "cool_down": "4d"}


def trigger_of(folder: Path, block: dict[str, Any]) -> Trigger:
    """A block as the schema loads it."""
    return written(folder, block).pipeline.trigger


def written(folder: Path, block: dict[str, Any]) -> Any:
    """The configuration with a block, and the rows that it is of."""
    if not (folder / "rows.parquet").exists():
        moments = pa.array(np.arange(ROWS) * HALF_AN_HOUR_US, pa.timestamp("us", tz="UTC"))
        labels = np.random.default_rng(0).integers(0, 2, ROWS)
        pq.write_table(pa.table({"timestamp": moments, "x": labels * 1.0, "label": labels}), folder / "rows.parquet")
    (folder / "pipeline.yaml").write_text(yaml.safe_dump({**PIPELINE, "trigger": block}))
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    return load_configuration(folder / "pipeline.yaml", folder / "config.yaml", experiment_mode=True)


if __name__ == "__main__":
    main()
