"""The product's command, asked for the table of one price."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from benchmarks.policies.streams import Stream
from benchmarks.processes import PROJECT, end

GRID = "grid"  # the run directory of a stream, which all of its calls share


def backtest(stream: Stream, folder: Path, name: str, policies: Mapping[str, Any]) -> dict[str, Any]:
    """What `backtest --tune --json` says of these policies. The first call trains the grid, others find it there.

    Everything lies in the folder, under this name; what was asked before is not asked again. Raises RuntimeError if it
    fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file, answer = folder / f"{name}.yaml", folder / f"{name}.json"
    asked = yaml.safe_dump(dict(policies), sort_keys=False)
    if not answer.exists() or file.read_text() != asked:
        answer.unlink(missing_ok=True)
        file.write_text(asked)
        _ask(stream, folder, file).replace(answer)
    content: dict[str, Any] = json.loads(answer.read_text())
    return content


def _ask(stream: Stream, folder: Path, file: Path) -> Path:
    """The command to its end, and where its answer lies."""
    place = folder / GRID
    command = [str(one.resolve()) for one in (stream.pipeline, stream.config, file)]
    command += ["--run-dir", str(place), "--tune", "--json", *(["--resume"] if place.exists() else [])]
    said, log = file.with_suffix(".said"), file.with_suffix(".log")
    with said.open("wb") as out, log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "supervisor", "backtest", *command],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=errors,
        )
        try:
            code = process.wait()
        finally:
            end([process])
    if code != 0:
        raise RuntimeError(f"backtest of {stream.name} ended with code {code}; {log} says:\n{log.read_text()[-2000:]}")
    return said
