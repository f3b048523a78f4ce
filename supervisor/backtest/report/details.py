"""Two lists below the numbers: what policies were fitted to, and when the best schedule trains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from shared.config.yaml_source import yaml_line
from shared.printable import printable
from shared.timestamps import to_the_minute

_MOST_LISTED = 12  # trainings of a schedule
_WIDTH = 100  # columns, also of a wider terminal
_BETWEEN = 2
_DAY = len("2013-01-08")


def details(content: Mapping[str, Any]) -> Iterator[Table]:
    """Those of them that there are."""
    if content["tuned_until"] is not None and content["policies"]:
        yield _list("policy", "fitted", [(one["name"], _parameters(one["parameters"])) for one in content["policies"]])
    best = next((one for one in content["best"] if "price" in one), None)
    if best is not None and 0 < len(best["triggers"]) <= _MOST_LISTED:
        yield _list("best at the first price", "trains at", list(_trainings(best["triggers"])))


def _parameters(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}: {yaml_line(value)}" for key, value in parameters.items()) or "nothing to fit"


def _trainings(triggers: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Of each strategy when it is trained: days, where no two are on one day."""
    minutes = {one["timestamp"]: to_the_minute(one["timestamp"]) for one in triggers}
    are_days = len({minute[:_DAY] for minute in minutes.values()}) == len(triggers)
    for strategy in dict.fromkeys(one["strategy"] for one in triggers):
        at = [minutes[one["timestamp"]] for one in triggers if one["strategy"] == strategy]
        yield strategy, ", ".join(minute[:_DAY] if are_days else minute for minute in at)


def _list(name: str, told: str, rows: Sequence[tuple[str, str]]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, _BETWEEN, 0, 0), pad_edge=False)
    shown = [(printable(one), printable(other)) for one, other in rows]
    names = min(max(len(one) for one in (name, *(one for one, _ in shown))), _WIDTH // 2)
    table.add_column(name, overflow="fold", max_width=names)
    table.add_column(told, overflow="fold", max_width=_WIDTH - names - 3 * _BETWEEN)
    for row in shown:
        table.add_row(*map(Text, row))
    return table
