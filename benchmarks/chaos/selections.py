"""Faults around a selection of a strategy that remembers: some process is held at a point of it, see `held`."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import psutil

from benchmarks.chaos.kinds import KINDS
from benchmarks.chaos.scene import Scene

_PATIENCE_S = 60.0  # until the next selection: a supervisor may have to start, and a training to end, first
_LOOK_S = 0.002
_SELECTING = ("selecting", "set_chosen")
_UNREPORTED = (*_SELECTING, "set_stored", "state_stored")
_UNCOMMITTED = ("set_reported", "set_committed")
_BETWEEN = ("state_committed", "selecting")


def kill_selecting_child(scene: Scene, random: Random) -> bool:
    """kill -9 a worker's child that selects, or that has chosen and stored nothing yet."""
    return _at(scene, random.choice(_SELECTING), _kill)


def kill_child_after_set(scene: Scene, _: Random) -> bool:
    """kill -9 a worker's child when the training set is stored, and what the strategy keeps is not."""
    return _at(scene, "set_stored", _kill)


def kill_child_after_state(scene: Scene, _: Random) -> bool:
    """kill -9 a worker's child when both are stored, and nothing is reported."""
    return _at(scene, "state_stored", _kill)


def kill_child_and_supervisor(scene: Scene, random: Random) -> bool:
    """kill -9 a worker's child at any of these points, and the supervisor before it can see that."""
    return _at(scene, random.choice(_UNREPORTED), lambda child: _kill_supervisor(scene) and _kill(child))


def kill_supervisor_selected(scene: Scene, random: Random) -> bool:
    """kill -9 the supervisor when the journal has what was selected, and set or state are not committed."""
    return _at(scene, random.choice(_UNCOMMITTED), lambda _: _kill_supervisor(scene))


def lose_reported_state(scene: Scene, random: Random) -> bool:
    """The same; and what the strategy keeps is lost before it is committed."""
    return _at(scene, random.choice(_UNCOMMITTED), lambda _: _to_states(scene, _states(scene, ".*.msgpack"), _lose))


def lose_states(scene: Scene, random: Random) -> bool:
    """kill -9 the supervisor when a state is committed, or while a worker selects; committed states are lost."""
    return _at(scene, random.choice(_BETWEEN), lambda _: _to_states(scene, _some(scene, random), _lose))


def cut_state(scene: Scene, random: Random) -> bool:
    """The same; but half of each is left."""
    return _at(scene, random.choice(_BETWEEN), lambda _: _to_states(scene, _some(scene, random), _cut))


def _at(scene: Scene, point: str, act: Callable[[psutil.Process], bool]) -> bool:
    """Act on the next process that comes to this point. False if none came, or nothing could be done."""
    if not KINDS[scene.kind].remembers:
        return False
    wanted, until_s = scene.held / point, time.monotonic() + _PATIENCE_S
    for left in scene.held.iterdir():  # by processes that were killed as they waited
        left.unlink(missing_ok=True)
    wanted.touch()
    try:
        while scene.supervisor is not None and scene.supervisor.poll() is None and time.monotonic() < until_s:
            for waiting in scene.held.glob("[0-9]*"):
                with suppress(psutil.Error):
                    return act(psutil.Process(int(waiting.name)))
            time.sleep(_LOOK_S)
    finally:
        wanted.unlink()
    return False


def _kill(process: psutil.Process) -> bool:
    process.kill()
    return True


def _kill_supervisor(scene: Scene) -> bool:
    assert scene.supervisor is not None
    scene.supervisor.kill()
    scene.supervisor.wait()
    return True


def _to_states(scene: Scene, states: list[Path], act: Callable[[Path], object]) -> bool:
    """kill -9 the supervisor, and do this to each of these. False if there are none."""
    if not states:
        return False
    _kill_supervisor(scene)
    for state in states:
        act(state)
    return True


def _states(scene: Scene, pattern: str) -> list[Path]:
    return sorted((scene.run_dir / "selection_states").glob(pattern))


def _some(scene: Scene, random: Random) -> list[Path]:
    """Of the committed states all, the newest, or the oldest."""
    kept = _states(scene, "[!.]*")
    return random.choice([kept, kept[-1:], kept[:1]])


def _lose(state: Path) -> None:
    state.unlink(missing_ok=True)


def _cut(state: Path) -> None:
    state.write_bytes(state.read_bytes()[: state.stat().st_size // 2])
