"""Chaos: a process waits at the wanted point of a selection, until it is let go."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.chaos import held

_STORE = """
import sys
from benchmarks.chaos import held
from shared.artifacts import ArtifactStore
store = ArtifactStore(sys.argv[1])
held.hold("selecting")
set_, state = (store.write(f"{of}/.2.1-worker.x", b"body") for of in ("training_sets", "selection_states"))
for ref in (set_, state):
    store.commit(ref, ref.name.replace(".2.1-worker", "2"))
"""
SET, STATE = "training_sets/.2.1-worker.x", "selection_states/.2.1-worker.x"
SET_2, STATE_2 = "training_sets/2.x", "selection_states/2.x"


STORED = {
    "selecting": set[str](),
    "set_chosen": set[str](),
    "set_stored": {SET},
    "state_stored": {SET, STATE},
    "set_reported": {SET, STATE},
    "set_committed": {SET_2, STATE},
    "state_committed": {SET_2, STATE_2},
}


def waits_at(waiting: Path) -> str | None:
    try:
        return waiting.read_text()
    except FileNotFoundError:
        return None


def test_a_process_waits_at_each_point_that_is_wanted(tmp_path: Path) -> None:
    """Just that is stored then which the point's name says; where it is wanted no more, the process goes on."""
    told, run, found = tmp_path / "held", tmp_path / "run", {}
    told.mkdir()
    for point in STORED:
        (told / point).touch()
    process = subprocess.Popen([sys.executable, "-c", _STORE, str(run)], env={**os.environ, held.FOLDER: str(told)})
    for point in STORED:
        while waits_at(told / str(process.pid)) != point:
            assert process.poll() is None, f"it went by {point}"
            time.sleep(0.001)
        found[point] = {str(file.relative_to(run)) for file in run.glob("*/*") if file.suffix != ".tmp"}
        (told / point).unlink()
    assert process.wait(30) == 0
    assert found == STORED
    assert not list(told.iterdir()), "nobody waits any more"
