"""What runs came to, as JSON lines: a file for each family of strategies on a stream, so that tables need no runs."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One run. Rows and seconds are those of all its triggers together."""

    stream: str
    family: str
    strategy: str
    share: float | None  # None: a baseline, which has the size that it has
    seed: int
    score: float
    rows: int  # that were trained on, not times epochs
    selected: tuple[int, ...]  # rows, by each trigger
    select_s: float  # processor time of the workers
    train_s: float
    clock_s: float  # both, as summary.json has it


class Mean(msgspec.Struct, frozen=True, kw_only=True):
    """The runs of a strategy and a share: the mean over the seeds, and how far the scores lie apart."""

    family: str
    strategy: str
    share: float | None
    score: float
    apart: float | None  # from the lowest to the highest; None: one seed
    rows: float
    select_s: float
    train_s: float
    clock_s: float

    @property
    def cost_s(self) -> float:
        """Processor time of both together."""
        return self.select_s + self.train_s


def file_of(folder: Path, stream: str, family: str) -> Path:
    """Where the runs of a family lie."""
    return folder / f"{stream}-{family}.jsonl"


def write(file: Path, runs: Iterable[Found]) -> None:
    """All of a family, at once."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in runs))


def read(folder: Path, stream: str, families: Iterable[str]) -> list[Found]:
    """Those that there are, family by family."""
    files = [file_of(folder, stream, family) for family in families]
    return [
        msgspec.json.decode(line, type=Found)
        for file in files
        if file.exists()
        for line in file.read_bytes().splitlines()
    ]


def means(runs: Iterable[Found]) -> list[Mean]:
    """One for each strategy and share, in the order in which they first come."""
    groups: dict[tuple[str, float | None], list[Found]] = {}
    for one in runs:
        groups.setdefault((one.strategy, one.share), []).append(one)
    return [_mean(group) for group in groups.values()]


def _mean(group: Sequence[Found]) -> Mean:
    scores = [one.score for one in group]
    return Mean(
        family=group[0].family,
        strategy=group[0].strategy,
        share=group[0].share,
        score=statistics.mean(scores),
        apart=max(scores) - min(scores) if len(scores) > 1 else None,
        rows=statistics.mean(one.rows for one in group),
        select_s=statistics.mean(one.select_s for one in group),
        train_s=statistics.mean(one.train_s for one in group),
        clock_s=statistics.mean(one.clock_s for one in group),
    )
