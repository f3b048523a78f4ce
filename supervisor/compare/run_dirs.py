"""Which runs are meant by what was typed, and what they are called beside each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from shared.command import COMMAND
from shared.errors import ConfigurationError
from supervisor.run.directory import RunDirectory


class RunDir(NamedTuple):
    """The directory of a run."""

    typed: Path  # as it was named; of one that lies in a folder of runs, with that folder
    found: bool  # it was not named itself, but lies in a folder that was


def runs_meant(typed: Sequence[Path]) -> list[RunDir]:
    """The runs, in the order in which they were named; a folder of runs stands for all that lie right in it.

    Raises ConfigurationError for a folder without any, and for a run that is meant twice.
    """
    meant = [run for path in typed for run in _at(path)]
    times = Counter(run.typed.resolve() for run in meant)
    twice = [path for path, count in times.items() if count > 1]
    if twice:
        raise ConfigurationError(*(f"{path} is named twice; name each run once." for path in twice))
    return meant


def _at(path: Path) -> list[RunDir]:
    try:
        if RunDirectory(path.resolve()).holds_a_run:  # `.` has no name of its own
            return [RunDir(path, found=False)]
        below = sorted(one for one in path.iterdir() if RunDirectory(one).holds_a_run)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be looked into: {error.strerror}; check path and user.") from None
    if not below:
        raise ConfigurationError(
            f"{path} holds no run, and no folder in it does; `{COMMAND} runs CONFIG` lists the runs there are."
        )
    return [RunDir(one, found=True) for one in below]


def names_of(paths: Sequence[Path]) -> list[str]:
    """The shortest end of each path that no other one has."""
    places = [path.resolve().parts[1:] for path in paths]
    ends = Counter(parts[-length:] for parts in places for length in range(1, len(parts) + 1))
    return ["/".join(_shortest(parts, ends)) for parts in places]


def _shortest(parts: tuple[str, ...], ends: Counter[tuple[str, ...]]) -> tuple[str, ...]:
    return next((parts[-n:] for n in range(1, len(parts) + 1) if ends[parts[-n:]] == 1), parts)
