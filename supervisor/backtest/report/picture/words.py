"""The words of the picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.printable import printable
from shared.timestamps import to_the_minute
from shared.words import counted, listed
from supervisor.backtest.report.picture.points import EqualCost, Level
from supervisor.compare.picture.words import cut

LONGEST_NAME = 26  # letters
_MOST_TOGETHER = 3

FRONTIER = "best schedule with at most so many"
KINDS = {"policy": "policy", "least": "least costly policy", "calendar": "calendar"}


def title(content: Mapping[str, Any]) -> str:
    """What is shown."""
    policies = counted(len(content["policies"]), "policy", "policies")
    return printable(f"{content['metric']} by trainings: {policies} and the best schedules")


def subtitle(content: Mapping[str, Any]) -> str:
    """On which rows, and what a good score is."""
    grid = content["grid"]
    first, last = (to_the_minute(grid[end]) for end in ("first_timestamp", "last_timestamp"))
    good = "higher" if content["greater_is_better"] else "lower"
    return f"{counted(grid['rows'], 'row')}, {first} to {last} UTC · {good} is better"


def point_names(names: Sequence[str]) -> str:
    """Of all that are at one point, as long as there is room for."""
    short = [cut(printable(name), LONGEST_NAME) for name in names]
    return ", ".join(short[:_MOST_TOGETHER]) + (
        f" and {len(short) - _MOST_TOGETHER} more" * (len(short) > _MOST_TOGETHER)
    )


def equal_cost(one: EqualCost) -> str:
    """Of a line."""
    cost = f"{one.cost:,.0f}" if abs(one.cost) >= 1000 else f"{one.cost:.4g}"
    return printable(f"costs as {cut(one.name, LONGEST_NAME)}: {cost}")


def note(beyond: Sequence[Level], unnamed: int) -> str:
    """What is to be known of the picture; an empty text if nothing is."""
    told = []
    if beyond:
        levels = listed(f"{one.name} ({one.mean:.4g})" for one in beyond)
        told.append(f"Too far away to be shown: {levels}.")
    if unnamed:
        told.append(f"{counted(unnamed, 'point')} without a name: the table has {'it' if unnamed == 1 else 'them'}.")
    return "\n".join(told)
