"""`--write FILE`: the least costly policy as a file with the one key `trigger`, and above it what it came to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from shared.config.secrets import hide
from shared.config.yaml_source import yaml_text
from shared.errors import ConfigurationError
from shared.output_file import OutputFile
from shared.timestamps import format_timestamp, to_the_minute
from shared.words import counted

_OPTION = "--write"


class Rows(NamedTuple):
    """A stretch of the stream."""

    first_key: int
    last_key: int
    first_us: int  # event time there
    last_us: int


class Line(NamedTuple):
    """What a policy came to on the rows that are judged."""

    name: str
    mean: float | None
    trainings: int
    cost: float | None
    regret: float | None
    every: str | int | None = None  # its period, a duration or so many rows, where that is to be told


class Told(NamedTuple):
    """What stands above the block."""

    pipeline: str
    metric: str  # as evaluation.metrics labels it
    price: str  # as people write it
    judged: Rows
    fitted: Rows | None  # None: parameters are as somebody wrote them
    policies: int  # of which this is the least costly
    winner: Line
    period: Line | None  # the best fixed period among them, if it is another one


def write_policy(path: Path, block: Mapping[str, Any], price: Mapping[str, Any] | None, told: Told) -> None:
    """Replace what stands there when the file is whole.

    `price`: what a block without its own is given, so that a run tells its cost; None if no block can have it.
    Raises ConfigurationError if it cannot be written; what stood there still does then.
    """
    comments = "".join(f"# {' '.join(line.split())}\n" if line else "#\n" for line in _comments(told))
    is_priced = block.get("price") is not None or price is None
    text = comments + yaml_text({"trigger": dict(block) if is_priced else {**block, "price": price}})
    OutputFile(_OPTION, path).write(hide(text).encode())


def require_writable(path: Path, inputs: Sequence[Path]) -> None:
    """Whether a policy can be written there, to be asked before anything is trained; `inputs`: files that must stay.

    Raises ConfigurationError.
    """
    OutputFile(_OPTION, path).require()
    if path.exists() and any(one.exists() and path.samefile(one) for one in inputs):
        raise ConfigurationError(f"{_OPTION} {path} would replace a file that this back-test reads; name another one.")


def _comments(told: Told) -> Iterator[str]:
    of = f", the least costly of {counted(told.policies, 'policy', 'policies')}" if told.policies > 1 else ""
    yield f"Policy {told.winner.name}{of} in a back-test of pipeline {told.pipeline}."
    if told.fitted is not None:
        yield f"Its parameters were fitted on {_rows(told.fitted)}."
    unseen = "" if told.fitted is None else ", which fitting did not see"
    yield f"What it came to on {_rows(told.judged)}{unseen}:"
    yield f"{_line(told.winner, told)}."
    if told.period is not None:
        yield f"The best fixed period there was {_line(told.period, told)}."
    yield f"The price is {told.price}. Regret is the cost beyond that of the best schedule in hindsight."


def _rows(rows: Rows) -> str:
    first, last = (to_the_minute(format_timestamp(one)) for one in (rows.first_us, rows.last_us))
    return f"keys {rows.first_key:,} to {rows.last_key:,} ({first} to {last})"


def _line(line: Line, told: Told) -> str:
    said = [f"{told.metric} {line.mean:.4f}" if line.mean is not None else f"no {told.metric}"]
    said.append(counted(line.trainings, "training"))
    said += [f"cost {line.cost:,.6g}"] if line.cost is not None else []
    said += [f"regret {line.regret:,.6g}"] if line.regret is not None else []
    every = counted(line.every, "row") if isinstance(line.every, int) else line.every
    return f"{line.name}{'' if every is None else f', each {every}'}: {', '.join(said)}"
