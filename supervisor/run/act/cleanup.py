"""Removes from a run directory what no journal names any more: attempts that did not count, checkpoints, members."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from supervisor.core.state import RunState
from supervisor.core.trigger_state import TriggerState
from supervisor.system.setup import LABELS

# Files of the run directory itself; a write that was cut off leaves a temporary one.
_WRITTEN_WHOLE = ("pipeline.yaml", "config.yaml", "evaluations.csv", "summary.json")


def forget_attempts(run_dir: Path, trigger_id: int) -> None:
    """Members, checkpoints and attempts of a training whose model is committed."""
    shutil.rmtree(run_dir / "checkpoints" / str(trigger_id), ignore_errors=True)
    for left in (run_dir / "models" / str(trigger_id)).glob(".*"):
        _remove(left)


def collect(run_dir: Path, state: RunState) -> None:
    """Remove it, of triggers whose work is over: elsewhere somebody may be writing."""
    for name in _WRITTEN_WHOLE:
        for left in run_dir.glob(f".{name}.*.tmp"):
            _remove(left)
    for name in ("training_sets", "selection_states"):
        for file in (run_dir / name).glob(".*"):  # what is committed has no dot before its name
            trigger = _trigger(state, file.name.lstrip(".").split(".")[0])
            if trigger is not None and trigger.phase.selected and not trigger.restoring:
                _remove(file)
    for file in (run_dir / "selection_states").glob("[!.]*"):
        trigger = _trigger(state, file.name.split(".")[0])
        if trigger is not None and trigger.state_gone:  # a crash came between
            _remove(file)
    for folder in (*(run_dir / "models").glob("*"), *(run_dir / "checkpoints").glob("*")):
        trigger = _trigger(state, folder.name)
        if trigger is not None and trigger.phase.over:
            forget_attempts(run_dir, trigger.fired.id)
            if trigger.retired:  # a crash came between
                _remove(folder / "model.safetensors")

    if state.status == "finished":
        shutil.rmtree(run_dir / LABELS, ignore_errors=True)
    for folder in sorted((run_dir / LABELS).glob("*"))[:-1]:  # a worker may still read what the last session wrote
        shutil.rmtree(folder, ignore_errors=True)


def _remove(file: Path) -> None:
    """Remove a file; a folder of that name is somebody else's. What cannot be removed now may be the next time."""
    if not file.is_dir():
        with suppress(OSError):
            file.unlink(missing_ok=True)


def _trigger(state: RunState, number: str) -> TriggerState | None:
    return state.triggers.get(int(number)) if number.isdecimal() else None
