"""`python -m benchmarks.policies_on_data`: what a policy gives that retrains only when it is needed.

Two streams of real data, from ../shared/data, where these are: sensors of gas that age from batch to batch, and first
names whose sex changes over 140 years. Each is replayed once for each policy, as an experiment; the runs share one
train and one evaluate worker, one after the other. The measure is a training after each tenth of the stream, ten of
them. `compare` scores all on the rows that each of them has a model for.

Printed is a table for each stream, a line a policy. Bound: the best of the policies that trained at most half as often
is within .03 of the accuracy of retraining after every window.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import yaml
from rich.console import Console
from rich.table import Table

from benchmarks.policies_on_data.questions import ALWAYS, DATA, FIXED, STREAMS, WINDOWS, pipeline, usable
from benchmarks.processes import PROJECT, end, end_in_order_when_asked, redis_url, start, start_redis
from shared.broker import connect
from shared.fleet import read_fleet

AT_MOST = 0.03  # of accuracy that the best policy may lose
_ROLES = ("train", "evaluate")
_READY_S = 120.0


class Outcome(NamedTuple):
    """What came of a policy."""

    policy: str
    trainings: int
    accuracy: float
    lost: float  # against retraining after every window


def main() -> None:
    """Measure; with --check exit 1 if the bound is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.policies_on_data", description=__doc__.splitlines()[0])
    parser.add_argument("--streams", nargs="*", default=list(STREAMS), choices=list(STREAMS))
    parser.add_argument("--policies", nargs="*", help="of those in the table; default: all")
    parser.add_argument("--json", action="store_true", help="print one object a policy instead")
    parser.add_argument("--check", action="store_true", help=f"exit 1 if the best policy loses more than {AT_MOST}")
    options = parser.parse_args()
    end_in_order_when_asked()
    broken = []
    for name in options.streams:
        if not (DATA / STREAMS[name].file).exists():
            print(f"{name} is left out: there is no {DATA / STREAMS[name].file}.", file=sys.stderr)
            continue
        chosen = [one for one in usable(name) if one == ALWAYS or not options.policies or one in options.policies]
        outcomes = _measure(name, chosen)
        _print(name, outcomes, as_json=options.json)
        broken += [name] if _lost(outcomes) > AT_MOST else []
    for name in broken:
        print(f"broken: on {name} no policy with half of the trainings is within {AT_MOST} of a training every window")
    sys.exit(1 if broken and options.check else 0)


def _measure(name: str, policies: Sequence[str]) -> list[Outcome]:
    """One experiment for each policy, and the comparison of all."""
    processes: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryDirectory(prefix="modyn-policies-") as path:
        folder = Path(path)
        try:
            _set_up(folder, name, processes)
            runs = {policy: _run(folder, name, policy, processes) for policy in policies}
            return _compared(runs)
        finally:
            end(processes)


def _set_up(folder: Path, name: str, processes: list[subprocess.Popen[bytes]]) -> None:
    """config.yaml, Redis and both workers. Raises RuntimeError if they do not become ready."""
    stream = STREAMS[name]
    dataset = {"uri": str(DATA / stream.file), **stream.dataset}
    config = {
        "broker": {"url": redis_url(folder)},
        "storage": {"datasets": {name: dataset}},
        "fleet": dict.fromkeys(_ROLES, 0),
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    processes.append(start_redis(folder))
    for role in _ROLES:
        arguments = ("worker", "config.yaml", "--role", role, "--device", "cpu")
        processes.append(start(folder, "workers.log", "supervisor", *arguments))
    client, give_up_s = connect(redis_url(folder)), time.monotonic() + _READY_S
    while len(read_fleet(client)) < len(_ROLES):
        if time.monotonic() > give_up_s or any(one.poll() is not None for one in processes):
            raise RuntimeError(f"workers are not ready:\n{(folder / 'workers.log').read_text()[-1000:]}")
        time.sleep(0.1)


def _run(folder: Path, name: str, policy: str, processes: list[subprocess.Popen[bytes]]) -> Path:
    """One experiment to its end: its run directory. Raises RuntimeError if it fails."""
    rows = pq.ParquetFile(DATA / STREAMS[name].file).metadata.num_rows // WINDOWS
    file, run_dir = folder / f"{policy}.yaml", folder / "runs" / policy.replace(" ", "-")
    file.write_text(yaml.safe_dump(pipeline(name, policy, rows), sort_keys=False))
    arguments = ("run", str(file), "config.yaml", "--experiment-mode", "--run-dir", str(run_dir))
    _wait(folder, f"{policy}.log", arguments, processes)
    return run_dir


def _wait(folder: Path, log: str, arguments: Sequence[str], processes: list[subprocess.Popen[bytes]]) -> str:
    """A command to its end, and what it said. Raises RuntimeError if it fails."""
    supervisor = start(folder, log, "supervisor", *arguments)
    processes.append(supervisor)
    code, said = supervisor.wait(), (folder / log).read_text()
    if code != 0:
        raise RuntimeError(f"{log}: exit {code}\n{said[-2000:]}")
    return said


def _compared(runs: dict[str, Path]) -> list[Outcome]:
    """All on the rows that each has a model for."""
    command = [sys.executable, "-m", "supervisor", "compare", *map(str, runs.values()), "--json"]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=PROJECT)
    by_run = {Path(one["run"]).name: one for one in json.loads(found.stdout)["runs"]}
    accuracy = {policy: by_run[run.name]["composite"]["accuracy"] for policy, run in runs.items()}
    return [
        Outcome(policy, _trainings(run), accuracy[policy], accuracy[ALWAYS] - accuracy[policy])
        for policy, run in runs.items()
    ]


def _trainings(run_dir: Path) -> int:
    summary: dict[str, Any] = json.loads((run_dir / "summary.json").read_text())
    return sum(one["samples_selected"] > 0 for one in summary["trigger_list"])


def _lost(outcomes: Sequence[Outcome]) -> float:
    """What the best policy with half of the trainings loses; retraining at fixed times is none."""
    most = outcomes[0].trainings / 2
    seldom = [one.lost for one in outcomes if one.trainings <= most and one.policy not in FIXED]
    return min(seldom, default=1.0)


def _print(name: str, outcomes: Sequence[Outcome], *, as_json: bool) -> None:
    if as_json:
        for one in outcomes:
            print(json.dumps({"stream": name, **one._asdict()}))
        return
    table = Table(title=name)
    for title in ("policy", "trainings", "accuracy", "lost"):
        table.add_column(title, justify="left" if title == "policy" else "right")
    for one in outcomes:
        table.add_row(one.policy, str(one.trainings), f"{one.accuracy:.4f}", f"{one.lost:+.4f}")
    Console(width=80).print(table)


if __name__ == "__main__":
    main()
