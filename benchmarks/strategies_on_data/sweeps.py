"""Runs the strategies of a family on a stream, as one sweep of the program, and reads what came of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import psutil
import pyarrow.parquet as pq
import yaml

from benchmarks.processes import end, start
from benchmarks.strategies_on_data.asked import Block, learned
from benchmarks.strategies_on_data.found import Found
from benchmarks.strategies_on_data.processor import Watch, of_tasks
from benchmarks.strategies_on_data.streams import STREAMS, config, pipeline
from shared.config.changes import Change
from supervisor.sweep.combinations import Combination

_ENDED = (0, 1)  # 1: a run has failed, and the others are there


class Asked(NamedTuple):
    """A strategy of a family and a share, as pipeline.yaml has it."""

    family: str
    strategy: str
    share: float | None
    block: Block

    def name(self, seed: int) -> str:
        """The folder of its run in a sweep."""
        return Combination((Change("strategy", self.text), Change("training.seed", str(seed)))).name

    @property
    def text(self) -> str:
        """The block as `--set` takes it, on one line."""
        return yaml.safe_dump(self.block, default_flow_style=True, sort_keys=False, width=10_000).strip()


def prepare(folder: Path, stream: str, train_workers: int) -> bool:
    """The rows and both files of a stream in a folder; False if the rows are not there."""
    file = folder / "rows.parquet"
    if not file.exists():
        rows = STREAMS[stream].rows()
        if rows is None:
            return False
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows.replace_schema_metadata(None), file)
    count = pq.ParquetFile(file).metadata.num_rows
    for name, content in (("config", config(stream, folder, train_workers)), ("pipeline", pipeline(stream, count))):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return True


def sweep(folder: Path, stream: str, asked: Sequence[Asked]) -> list[Found]:
    """One run of each and of each seed: those that have a score. What was stopped half-way before is begun anew.

    Raises RuntimeError if the sweep itself fails.
    """
    family = asked[0].family
    place = folder / "runs" / family
    seeds = STREAMS[stream].seeds
    settings = [("strategy", [one.text for one in asked]), ("training.seed", [str(seed) for seed in seeds])]
    values = [word for key, texts in settings for word in ("--set", f"{key}={','.join(texts)}")]
    shutil.rmtree(place, ignore_errors=True)
    files = ("pipeline.yaml", "config.yaml", "--run-dir", str(place), "--quiet")
    process = start(folder, f"{family}.log", "supervisor", "sweep", *files, *values)
    with Watch(psutil.Process(process.pid)) as watch:
        _await(process, folder / f"{family}.log")
    runs = [_found(place / one.name(seed), watch, stream, one, seed) for one in asked for seed in seeds]
    return [run for run in runs if run is not None]


def _await(process: subprocess.Popen[bytes], log: Path) -> None:
    try:
        code = process.wait()
    finally:
        end([process])
    if code not in _ENDED:
        raise RuntimeError(f"the sweep ended with code {code}; {log} says why:\n{log.read_text()[-2000:]}")


def _found(run_dir: Path, watch: Watch, stream: str, one: Asked, seed: int) -> Found | None:
    """What summary.json of a run says, and what its tasks took; None if it has no score."""
    file = run_dir / "summary.json"
    summary = json.loads(file.read_text()) if file.exists() else {}
    score = summary.get("composite", {}).get(STREAMS[stream].metric)
    if summary.get("status") != "finished" or score is None:
        print(f"{run_dir.name} has no score; {run_dir.parent / 'logs' / run_dir.name}.log says why", file=sys.stderr)
        return None
    triggers = summary["trigger_list"]
    selected = tuple(trigger["samples_selected"] for trigger in triggers)
    select_s, train_s = of_tasks(watch, run_dir / "journal.jsonl")
    return Found(
        stream=stream,
        family=one.family,
        strategy=one.strategy,
        share=one.share,
        seed=seed,
        score=score,
        rows=round(learned(one.strategy, one.share) * sum(selected)),
        selected=selected,
        select_s=select_s,
        train_s=train_s,
        clock_s=sum(trigger["select_s"] + trigger["train_s"] for trigger in triggers),
    )
