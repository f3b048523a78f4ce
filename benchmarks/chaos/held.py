"""Strategies whose selections wait at named points while a scene wants it; they are installed as others' packages are.

Points of a worker: `selecting` has begun; the set is `set_chosen` and not stored; `set_stored`, and not the state;
`state_stored`, and not reported. Of a supervisor, also of one that recovers: `set_reported` and not committed;
`set_committed`, and not the state; `state_committed`. All but the first are moments around a rename, which Python tells
an audit hook of: before it, or when its folder is then brought down to the disk.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from shared.strategies.memories.gdumb import GDumb
from shared.strategies.memories.reservoir import Reservoir
from shared.strategies.strategy import CurrentModel, Pieces, Request, State

INSTALLED = Path(__file__).parent / "installed"  # on the path of modules, it makes the strategies known by name
FOLDER = "CHAOS_HELD_FOLDER"  # of the environment: where a file says which point is wanted, and another who waits there
_MOST_S = 10.0  # a harness that died holds nobody for longer
_LOOK_S = 0.002
_BEFORE = {  # (folder, whether the new name is an attempt's): the point before such a rename
    ("training_sets", True): "set_chosen",
    ("selection_states", True): "set_stored",
    ("training_sets", False): "set_reported",
    ("selection_states", False): "set_committed",
}
_AFTER = {"set_stored": "state_stored", "set_committed": "state_committed"}  # point before a rename: that after it


class HeldReservoir(Reservoir):
    """`reservoir`, held."""

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """As it does."""
        hold("selecting")
        return super().select(request, state, model)


class HeldGDumb(GDumb):
    """`gdumb`, held."""

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """As it does."""
        hold("selecting")
        return super().select(request, state, model)


def hold(point: str) -> None:
    """Wait while a file with the point's name is there, and say so in one with the process's number for its name."""
    if FOLDER not in os.environ:
        return
    folder, until_s = Path(os.environ[FOLDER]), time.monotonic() + _MOST_S
    waiting = folder / str(os.getpid())
    while (folder / point).exists() and time.monotonic() < until_s:
        waiting.write_text(point)
        time.sleep(_LOOK_S)
    waiting.unlink(missing_ok=True)


class _Renames:
    """Hears of a process's renames."""

    def __init__(self) -> None:
        self._begun: tuple[str, str] | None = None  # the newest one's folder, and the point before it

    def __call__(self, event: str, about: tuple[Any, ...]) -> None:
        """An audit hook."""
        if event == "os.rename":
            target = Path(os.fsdecode(about[1]))
            if point := _BEFORE.get((target.parent.name, target.name.startswith("."))):
                self._begun = (str(target.parent), point)
                hold(point)
        elif event == "open" and self._begun is not None and str(about[0]) == self._begun[0]:
            (_, point), self._begun = self._begun, None
            if point in _AFTER:
                hold(_AFTER[point])


sys.addaudithook(_Renames())
