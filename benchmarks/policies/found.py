"""What was found on a stream, as it is kept: tables and picture are made of it without another run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

# policy: of the product, fitted by `backtest --tune`; rival: not of the product, tuned on the same rows; guess: without
# a model; calendar: never, or each model of the grid; best: the best schedule in hindsight
Kind = Literal["policy", "rival", "guess", "calendar", "best"]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What one came to on the rows that are judged."""

    name: str
    kind: Kind
    trainings: int  # paid for
    mean: float | None
    cost: float
    regret: float | None  # above the best schedule; None: of a guess, which trains nothing
    learned_cost: float | None = None  # on the rows that were learned from; None: of what learns nothing
    parameters: dict[str, Any]  # that were fitted


class Priced(msgspec.Struct, frozen=True, kw_only=True):
    """All of them at one price."""

    share: float  # of the loss of the first model, kept, on the rows that are learned from
    price: float  # of a training, in units of loss
    lines: tuple[Line, ...]

    def of(self, *kinds: Kind) -> list[Line]:
        """Those of these kinds, the least costly first."""
        return sorted((one for one in self.lines if one.kind in kinds), key=lambda one: one.cost)

    def has(self, name: str) -> bool:
        """Whether it was tried."""
        return any(one.name == name for one in self.lines)

    def line(self, name: str) -> Line:
        """One of them."""
        return next(one for one in self.lines if one.name == name)

    def loss(self, line: Line) -> float:
        """Its cost without its trainings."""
        return line.cost - self.price * line.trainings


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A stream."""

    stream: str
    metric: str
    every: int | str
    strategies: tuple[str, ...]
    models: int  # of the grid, all strategies
    windows: int
    learned_windows: int
    learned_until: str  # event time at the last row that is learned from
    judged_rows: int
    prices: tuple[Priced, ...]


def file_of(folder: Path, stream: str) -> Path:
    """Where it lies."""
    return folder / f"{stream}.json"


def write(folder: Path, found: Found) -> None:
    """As JSON that people can read."""
    folder.mkdir(parents=True, exist_ok=True)
    file_of(folder, found.stream).write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")


def read(folder: Path, stream: str) -> Found | None:
    """None: there is none."""
    file = file_of(folder, stream)
    return msgspec.json.decode(file.read_bytes(), type=Found) if file.exists() else None
