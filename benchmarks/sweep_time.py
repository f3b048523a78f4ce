"""`python -m benchmarks.sweep_time`: what a sweep takes of the time of the same runs one after the other.

Eight combinations of the digits example: how often, on what, and how fast to learn, on a train worker for each of two
cores. In all of them a training continues the one before, so that a run by itself trains on one. Both are counted from
when their fleet is ready to the end of their command: the sweep once, with the comparison at its end, the runs
eight times. Processor time is that of all their processes, starts and all.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import yaml

from benchmarks.processes import PROJECT, end, end_in_order_when_asked, start
from shared.broker import connect
from shared.fleet import read_fleet
from supervisor.system.embedded_broker import find_broker

AT_MOST = 0.6
SETTINGS = {
    "trigger.every": ("700", "1400"),
    "strategy.config.tail": ("0", "1"),
    "training.optimizer.config.lr": ("0.001", "0.003"),
}
_DIGITS = PROJECT / "examples" / "digits"
_LOOK_EVERY_S = 0.02


def main() -> None:
    """Measure both in turn; with --check exit 1 if the sweep takes too long."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep_time", description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=1, help="how often; the median counts")
    parser.add_argument("--parallel", type=int, help="runs at a time, of the sweep")
    parser.add_argument("--train", type=int, default=2, help="train workers, of both")
    parser.add_argument("--maximum-triggers", type=int, default=8, help="of each run; fewer for a quick look")
    parser.add_argument("--check", action="store_true", help=f"exit 1 if the ratio is above {AT_MOST}")
    options = parser.parse_args()
    end_in_order_when_asked()
    ratios = []
    with tempfile.TemporaryDirectory(prefix="modyn-sweep-time-") as folder:
        place = _prepared(Path(folder), options.train)
        for number in range(options.repeat):
            began_s = _processor_s()
            swept_s = _sweep_s(place, number, options)
            between_s = _processor_s()
            print(f"sweep {swept_s:.1f} s; processor {between_s - began_s:.1f} s", flush=True)
            runs_s = _runs_s(place, number, options)
            ratios.append(swept_s / sum(runs_s))
            each = ", ".join(f"{one:.1f}" for one in runs_s)
            print(f"runs {sum(runs_s):.1f} s ({each}); processor {_processor_s() - between_s:.1f} s", flush=True)
    ratio = statistics.median(ratios)
    print(f"ratio {ratio:.2f}, {AT_MOST} allowed")
    sys.exit(1 if options.check and ratio > AT_MOST else 0)


def _prepared(folder: Path, train: int) -> Path:
    """The example with its data, in a folder of its own."""
    subprocess.run([sys.executable, str(_DIGITS / "prepare.py")], check=True, stdout=subprocess.DEVNULL)
    place = folder / "digits"
    shutil.copytree(_DIGITS, place, ignore=shutil.ignore_patterns("runs", "deployed"))
    config = yaml.safe_load((place / "config.yaml").read_text())
    config["fleet"] = {"train": train, "evaluate": 1, "device": "cpu"}
    (place / "config.yaml").write_text(yaml.safe_dump(config))
    return place


def _processor_s() -> float:
    """Of all processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _sweep_s(place: Path, number: int, options: argparse.Namespace) -> float:
    values = [word for key, texts in SETTINGS.items() for word in ("--set", f"{key}={','.join(texts)}")]
    more = [] if options.parallel is None else ["--parallel", str(options.parallel)]
    more += ["--maximum-triggers", str(options.maximum_triggers)]
    return _command_s(place, f"sweep-{number}", "sweep", *values, *more)


def _runs_s(place: Path, number: int, options: argparse.Namespace) -> list[float]:
    """Of each run."""
    took_s = []
    for index, texts in enumerate(itertools.product(*SETTINGS.values())):
        values = [word for key, text in zip(SETTINGS, texts, strict=True) for word in ("--set", f"{key}={text}")]
        more = ("--experiment-mode", "--maximum-triggers", str(options.maximum_triggers))
        took_s.append(_command_s(place, f"run-{number}-{index}", "run", *values, *more))
    return took_s


def _command_s(place: Path, name: str, command: str, *options: str) -> float:
    """Seconds from when the workers of a command are ready to its end. Raises RuntimeError if it fails."""
    files = ("pipeline.yaml", "config.yaml", "--run-dir", f"runs/{name}")
    process = start(place, f"{name}.log", "supervisor", command, *files, *options)
    try:
        _await_fleet(place, process)
        ready_s = time.monotonic()
        if process.wait() != 0:
            raise RuntimeError(
                f"{command} ended with code {process.returncode}:\n{(place / f'{name}.log').read_text()}"
            )
        return time.monotonic() - ready_s
    finally:
        end([process])


def _await_fleet(place: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait for a worker of each role."""
    roles: Sequence[str] = ()
    while len(set(roles)) < 2 and process.poll() is None:
        time.sleep(_LOOK_EVERY_S)
        url = find_broker(str(place / "runs"))
        if url is not None:
            with connect(url) as client:
                roles = [worker.role for worker in read_fleet(client)]


if __name__ == "__main__":
    main()
