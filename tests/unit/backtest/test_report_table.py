"""The table of a back-test."""

from __future__ import annotations

import re
from typing import Any

import pytest
from judged_grids import Price, made_up_content
from rich.console import Console

from supervisor.backtest.report.table import backtest_table

PRICES = [
    Price(2.0, written=2),
    Price(5.0, 0.0, 0.1, written={"training": 5, "error": 0.1}),
    Price(0.0, 0.5, written={"gpu_second": 0.5, "error": 1}),
]


def shown(content: dict[str, Any], width: int = 110) -> list[str]:
    """Its lines, as a terminal of that width has them."""
    console = Console(width=width, file=None, force_terminal=False)
    with console.capture() as captured:
        console.print(backtest_table(content))
    return [line.rstrip() for line in captured.get().splitlines()]


def cells(lines: list[str], name: str) -> list[str]:
    """The first line of that name, without it."""
    return next(line for line in lines if line.strip().startswith(name)).replace(name, "", 1).split()


def test_a_line_a_policy_the_least_costly_first() -> None:
    """With what it is measured by; the best with as many trainings beside it, calendars and best schedules below."""
    content = made_up_content(prices=PRICES[:1])
    lines = shown(content)
    assert lines[0] == "5 policies, judged on the 1,200 rows from 1970-01-02 06:00 to 1970-02-21 05:00"
    assert lines[1] == "grid: 80 models of 2 strategies, one every 7d; 27 min of training"
    names = [one["name"] for one in content["policies"]]
    assert [line.strip()[:8] for line in lines if re.match(r" policy \d", line)] == names
    first = content["policies"][0]
    told = cells(lines, first["name"])
    assert told[0] == f"{first['mean']:.4f}"
    assert told[-1] == f"{first['best_with_as_many']:.4f}"
    assert cells(lines, "no change: the last label")[:5] == ["0.5000", "0.5000", "0.5000", "0", "0"]
    assert cells(lines, "best with at most 3 trainings")[3] == "3"
    assert not any(line.strip().startswith("best with at most 4") for line in lines)
    assert max(map(len, lines)) <= 110


def test_several_prices_have_a_table_of_their_own() -> None:
    """The least cost at each is marked; what the best schedules cost stands below."""
    lines = shown(made_up_content(prices=PRICES), 100)
    head = next(line for line in lines if "0.1 an error" in line)
    assert re.split(r"  +", head.strip()) == ["2 a training", "0.1 an error", "0.5 a GPU second"]
    assert lines[lines.index(head) - 1].strip() == "5 a training,"
    table = lines[lines.index(head) :]
    assert sum(line.count("*") for line in table[:8]) == 3
    assert len(cells(table, "best schedule")) == 3
    assert len(cells(table, "its trainings")) == 3


def test_what_was_fitted_and_when_the_best_schedule_trains() -> None:
    """A line a policy, whose name says what somebody wrote; a line a strategy; within 100 columns."""
    content = made_up_content(prices=[Price(9.0, written=9)], tuned_until=599)
    content["policies"][0] |= {"name": "every week", "parameters": {"every": "33d", "decide.by": 0.1}}
    lines = shown(content, 100)
    fitted = lines[next(place for place, line in enumerate(lines) if re.fullmatch(r" policy +fitted", line)) :]
    assert cells(fitted, "every week") == ["every:", "33d,", "decide.by:", "0.1"]
    assert cells(fitted, "policy 0") == ["nothing", "to", "fit"]
    best = next(one for one in content["best"] if "price" in one)
    table = lines[next(place for place, line in enumerate(lines) if line.endswith("trains at")) :]
    told = [word.strip(",") for line in table[2:4] for word in line.split()[2:] if "-" in word]
    assert sorted(told) == [one["timestamp"][:10] for one in best["triggers"]]
    assert max(map(len, lines)) <= 100
    assert not any(line.endswith("fitted") for line in shown(made_up_content(prices=PRICES)))


def test_when_the_best_schedule_trains_is_folded_on_a_wide_terminal() -> None:
    """Into 100 columns, between two moments; none is lost."""
    content = made_up_content(prices=[Price(9.0, written=9)])
    best = next(one for one in content["best"] if "price" in one)
    days = [f"2013-01-{day:02}T00:00:00.000000Z" for day in range(1, 13)]
    best["triggers"] = [
        {**best["triggers"][0], "strategy": "sliding_window last=60d", "timestamp": day} for day in days
    ]
    lines = shown(content, 200)
    table = lines[next(place for place, line in enumerate(lines) if line.endswith("trains at")) :]
    table = table[: table.index("")]
    assert max(map(len, table)) <= 100
    assert re.findall(r"2013-01-\d\d", "\n".join(table)) == [day[:10] for day in days]


def test_without_prices_there_is_no_cost() -> None:
    """The mean sorts, and says which way is better."""
    lines = shown(made_up_content(metric="log_loss"))
    assert not any("cost" in line or "regret" in line for line in lines)
    assert "mean ▼" in "\n".join(lines)
    assert cells(lines, "policy 4")[0] < cells(lines, "policy 0")[0]
    assert lines.index(next(line for line in lines if "policy 4" in line)) < lines.index(
        next(line for line in lines if "policy 0" in line)
    )


@pytest.mark.parametrize(("metric", "value", "beats"), [("accuracy", 0.99, True), ("log_loss", 0.99, False)])
def test_a_guess_that_beats_all_policies_is_told(metric: str, value: float, beats: bool) -> None:
    """By the metric's direction."""
    told = [line for line in shown(made_up_content(metric=metric, no_change=value)) if line.startswith("! no change")]
    assert bool(told) == beats
    assert not beats or told[0].startswith("! no change beats every policy, 0.9900 to 0.")


def test_where_there_are_prices_what_costs_less_is_told() -> None:
    """Not what has the better mean; of the first model without saying that no training could pay."""

    def told(**price: Any) -> list[str]:
        content = made_up_content(prices=[Price(written=0, **price)], no_change=0.6)
        return [line for line in shown(content, 130) if line.startswith("! ")]

    assert told(training=0.0) == []
    guess, first = told(training=1_000.0)
    assert guess.startswith("! no change costs less than every policy, 480 to 8,285: who guesses the last label")
    assert first.startswith("! the first model, kept, costs less than every policy, 1,")
    assert first.endswith(" to 8,285: none of these policies pays for its trainings")


def test_no_number_is_cut_on_a_narrow_terminal() -> None:
    """What has no room stands in a table below; nothing is left out."""
    content = made_up_content(prices=PRICES)
    wide, narrow = (shown(content, width) for width in (110, 60))
    assert max(map(len, narrow)) <= 60
    assert not any("…" in line for line in narrow)
    numbers = set(" ".join(wide[:40]).split()) & {one for line in wide for one in line.split() if one[-1].isdigit()}
    assert numbers <= set(" ".join(narrow).replace(",\n", ",").split())


def test_names_and_notes_are_never_markup() -> None:
    """Nor letters that a terminal obeys."""
    content = made_up_content()
    content["policies"][0] |= {"name": "[bold]\x1b[31mred", "notes": ["[link] told"]}
    told = "\n".join(shown(content))
    assert "[bold]" in told
    assert "[link] told" in told
    assert "\x1b" not in told
