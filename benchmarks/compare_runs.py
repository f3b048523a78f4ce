"""`python -m benchmarks.compare_runs --check`: how long `compare` takes where nothing has to be evaluated anew.

So many runs with so many triggers are made up, with a gate and a matrix of scores in their journals. Then the real
command is timed, from its start to its end. Bound: 10 seconds for 50 runs of 100 triggers.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.made_up_runs import MadeUpRun
from benchmarks.processes import PROJECT
from shared.temporary import MEMORY

SECONDS_AT_MOST = 10.0
_ROWS = 100  # of a trigger
_SLICES = 12  # of the stream, on each of which every model is scored


def main() -> None:
    """Measure; with --check exit 1 over the bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare_runs", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--triggers", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--check", action="store_true", help="exit 1 if the fastest takes longer than the bound")
    parser.add_argument("--folder", type=Path, default=MEMORY if MEMORY.is_dir() else None, help="where all of it lies")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="modyn-compare-", dir=options.folder) as name:
        runs = Path(name) / "runs"
        for number in range(options.runs):
            _made_up(runs / f"run-{number:03}", options.triggers, random.Random(number)).write()
        size_bytes = sum(journal.stat().st_size for journal in runs.glob("*/journal.jsonl"))
        took_s = sorted(_timed(runs) for _ in range(options.repeats))
    told = {"runs": options.runs, "triggers": options.triggers, "journals_mb": round(size_bytes / 1e6, 1)}
    print(json.dumps(told | {"fastest_s": round(took_s[0], 2), "slowest_s": round(took_s[-1], 2)}))
    sys.exit(1 if options.check and took_s[0] > SECONDS_AT_MOST else 0)


def _timed(runs: Path) -> float:
    started_s = time.monotonic()
    command = [sys.executable, "-m", "supervisor", "compare", str(runs), "--json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=PROJECT)
    took_s = time.monotonic() - started_s
    if done.returncode != 0:
        raise RuntimeError(f"exit {done.returncode}: {done.stderr}")
    return took_s


def _made_up(path: Path, triggers: int, dice: random.Random) -> MadeUpRun:
    keys = [(index + 1) * _ROWS - 1 for index in range(triggers)]
    rows, config = triggers * _ROWS + _ROWS // 2, {"storage": {"datasets": {"rows": {"uri": "data/*.parquet"}}}}
    return MadeUpRun(
        path=path, pipeline=_PIPELINE, config=config, trigger_keys=keys, rows=rows, slices=_SLICES, dice=dice
    )


_PIPELINE: dict[str, Any] = {
    "pipeline": {"name": "made-up"},
    "model": {"id": "mlp", "config": {"num_classes": 2}},
    "data": {"dataset": "rows", "split": {"test": 0.2}},
    "trigger": {"policy": "data_amount", "every": _ROWS},
    "initial_mode": "replay",
    "evaluation": {
        "metrics": ["accuracy", "log_loss"],
        "on": [
            {"name": "next", "window": "until_next_trigger"},
            {"name": "recent", "window": {"last": "5m"}, "split": "test"},
            {"name": "months", "window": {"every": "1h"}, "split": "test"},
        ],
    },
    "deployment": {
        "gate": {"metric": "accuracy", "on": "recent", "at_least": 0.1},
        "targets": [{"kind": "directory", "uri": "deployed"}],
    },
}


if __name__ == "__main__":
    main()
