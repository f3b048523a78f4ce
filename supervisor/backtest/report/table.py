"""The table of a back-test, as a terminal shows it: policies, what they are measured by, and the best schedules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any, NamedTuple

from rich.console import Console, ConsoleOptions, RenderableType
from rich.text import Text

from shared.printable import printable
from shared.timestamps import to_the_minute
from shared.words import counted
from supervisor.backtest.report.columns import Column, Row, tables
from supervisor.backtest.report.details import details
from supervisor.backtest.report.remarks import remarks
from supervisor.backtest.report.words import amount, baseline_words, price_words, score
from supervisor.results.took import brief


def backtest_table(content: Mapping[str, Any]) -> RenderableType:
    """What `backtest --json` prints; the least costly policy comes first, by the first price."""
    return _Table(content)


class _Table:
    """As wide as there is room: figures and the first price in one table, several prices in another."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        content, width = self._content, options.max_width
        yield Text("\n".join(_titles(content)))
        lines = list(_lines(content))
        yield from tables("policy", [line.row for line in lines], list(_figures(content, lines)), width)
        if len(content["prices"]) > 1 and content["policies"]:
            yield from tables("at each price", list(_priced_rows(content)), list(_at_prices(content)), width)
        yield from details(content)
        yield Text("\n".join(remarks(content)), style="dim italic")


class _Line(NamedTuple):
    """A row, and what there is of it: `regret` and `best_with_as_many` may be missing."""

    row: Row
    of: Mapping[str, Any]


def _titles(content: Mapping[str, Any]) -> Iterator[str]:
    grid, policies = content["grid"], counted(len(content["policies"]), "policy", "policies")
    ends = [to_the_minute(grid[end]) for end in ("first_timestamp", "last_timestamp")]
    yield f"{policies}, judged on the {counted(grid['rows'], 'row')} from {ends[0]} to {ends[1]}"
    count, every = len(grid["strategies"]), grid["every"]
    strategies = f" of {count} strategies" if count > 1 else ""
    between = f"one every {counted(every, 'row') if isinstance(every, int) else every}"
    models = f"{counted(grid['models'], 'model')}{strategies}"
    trained = "trained by earlier runs" if every is None else between
    yield f"grid: {models}, {trained}; {brief(grid['train_s'])} of training"
    if content["tuned_until"] is not None:
        yield f"tuned on the rows up to {to_the_minute(content['tuned_until'])}, which are not judged"


def _lines(content: Mapping[str, Any]) -> Iterator[_Line]:
    """Policies, then what needs none, then the best schedules."""
    policies, baselines = content["policies"], content["baselines"]
    for place, one in enumerate(policies, start=1):
        yield _Line(Row(printable(one["name"]), "bold" if place == 1 else None, place == len(policies)), one)
    for place, (name, one) in enumerate(baselines.items(), start=1):
        yield _Line(Row(baseline_words(name, content["task"]), "italic", place == len(baselines)), one)
    for title, one in _best(content):
        yield _Line(Row(title, "italic"), one)


def _best(content: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """With at most 1, 2, … trainings, as long as more bring more, and at the first price.

    Those with as many trainings as a policy has are told beside it.
    """
    before = None
    for one in takewhile(lambda one: one.get("at_most", content["at_most"] + 1) <= content["at_most"], content["best"]):
        if one["mean"] != before:
            most = counted(one["at_most"], "training")
            yield f"best with at most {most}" if one["at_most"] else "best without training", one
        before = one["mean"]
    if content["prices"]:
        yield "best at the first price", next(one for one in content["best"] if "price" in one)


def _figures(content: Mapping[str, Any], lines: list[_Line]) -> Iterator[Column]:
    arrow = "▲" if content["greater_is_better"] else "▼"
    yield Column(f"{content['metric']}\nmean {arrow}", [score(line.of["mean"]) for line in lines])
    yield Column("worst\nwindow", [score(line.of["worst"]) for line in lines])
    yield Column("last\nwindow", [score(line.of["final"]) for line in lines])
    yield Column("train-\nings", [f"{line.of['trainings']:,}" for line in lines])
    yield Column("GPU\ntime", [brief(line.of["gpu_s"]) for line in lines])
    if content["prices"]:
        yield Column("cost ▼", [amount(line.of["cost"]) for line in lines])
        yield Column(
            "regret", [amount(line.of["regret"]) if "regret" in line.of else "" for line in lines], goes_on=True
        )
    with_as_many = [line.of.get("best_with_as_many", "") for line in lines]
    yield Column("best with\nas many", [one if one == "" else score(one) for one in with_as_many])


def _priced_rows(content: Mapping[str, Any]) -> Iterator[Row]:
    policies = content["policies"]
    for place, one in enumerate(policies, start=1):
        yield Row(printable(one["name"]), None, place == len(policies))
    yield Row("best schedule", "italic")
    yield Row("its trainings", "italic")


def _at_prices(content: Mapping[str, Any]) -> Iterator[Column]:
    """Cost and regret of each policy, and of the best schedules; the least cost is marked."""
    best = [one for one in content["best"] if "price" in one]
    titles = [price_words(price, short=True).split(", ") for price in content["prices"]]
    height = max(map(len, titles))
    for place, title in enumerate(titles):
        found = [one["at_prices"][place] for one in content["policies"]]
        least = min(one["cost"] for one in found)
        costs = [f"{'* ' if one['cost'] == least else ''}{amount(one['cost'])}" for one in found]
        trainings = f"{best[place]['trainings']:,}"
        above = [""] * (height - len(title))  # all stand on one line with `cost`
        yield Column("\n".join([*above, ", \n".join(title), "cost"]), [*costs, amount(best[place]["cost"]), trainings])
        yield Column("\n" * height + "regret", [*(amount(one["regret"]) for one in found), "", ""], goes_on=True)
