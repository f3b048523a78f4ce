"""The tables and sentences, in Markdown, and their place in a page."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.policies.found import Found, Line, Priced
from benchmarks.policies.rivals.all import PERIOD
from benchmarks.policies.why import best_policy, chosen, why

_BEGIN, _END = "<!-- made by benchmarks.policies: begin -->", "<!-- end -->"
_NONE = "–"


def tables(found: Sequence[Found]) -> str:
    """What all came to beside the tuned fixed period, then stream by stream."""
    return "\n\n".join([_together(found), _counted(found), *map(_stream, found)])


def put(page: Path, made: str) -> None:
    """In the place of what was made before. Raises ValueError if the page has no such place."""
    text = page.read_text()
    before, begin, rest = text.partition(_BEGIN)
    _, finish, after = rest.partition(_END)
    if not begin or not finish:
        raise ValueError(f"{page} has no lines `{_BEGIN}` and `{_END}`; write them where the tables shall stand.")
    page.write_text(f"{before}{_BEGIN}\n\n{made}\n\n{_END}{after}")


def _together(found: Sequence[Found]) -> str:
    """A line for each stream and price: costs against that of the tuned fixed period."""
    rivals = [one.name for one in found[0].prices[0].lines if one.kind == "rival" and one.name != PERIOD]
    titles = ["stream", "a training costs", PERIOD, "best policy", "", "chosen", "", *rivals, "best schedule"]
    rows = []
    for one in found:
        for priced in one.prices:
            ours, taken, period = best_policy(priced), chosen(priced), priced.line(PERIOD)
            others = [_against(priced.line(name), period) for name in rivals]
            best = _against(priced.of("best")[0], period)
            told = f"{100 * priced.share:g} %: {_cost(priced.price)}"
            policies = [ours.name, _against(ours, period), taken.name, _against(taken, period)]
            rows.append([one.stream, told, _cost(period.cost), *policies, *others, best])
    return f"### All streams\n\n{_table(titles, rows, texts=2)}"


def _counted(found: Sequence[Found]) -> str:
    """In how many cells each is cheaper than the tuned fixed period, and by how much on the whole."""
    cells = [priced for one in found for priced in one.prices]
    names = [line.name for line in cells[0].lines if line.kind in ("policy", "rival", "best") and line.name != PERIOD]
    ratios = {name: [one.line(name).cost / one.line(PERIOD).cost for one in cells if one.has(name)] for name in names}
    ratios["chosen"] = [chosen(one).cost / one.line(PERIOD).cost for one in cells]
    order = sorted(ratios, key=lambda name: statistics.geometric_mean(ratios[name]))
    rows = [
        [
            name,
            f"{sum(ratio < 1 for ratio in ratios[name])} of {len(ratios[name])}",
            f"{100 * (statistics.geometric_mean(ratios[name]) - 1):+.1f} %".replace("-", "−"),
            f"{100 * (max(ratios[name]) - 1):+.1f} %".replace("-", "−"),
        ]
        for name in order
    ]
    titles = ["", "cells in which it is cheaper", "cost against the period's, geometric mean", "at worst"]
    return f"### Beside the tuned fixed period, all cells\n\n{_table(titles, rows, texts=1)}"


def _stream(found: Found) -> str:
    """Everyone at each price, and why."""
    titles = ["", *(f"{title}" for one in found.prices for title in ("trainings", _told(one), "regret"))]
    order = sorted(found.prices[0].lines, key=lambda line: sum(_share(line, one) for one in found.prices))
    rows = [[_name(line), *(cell for one in found.prices for cell in _cells(one.line(line.name)))] for line in order]
    sentences = "\n".join(f"- {why(one)}" for one in found.prices)
    every = found.every if isinstance(found.every, str) else f"{found.every} rows"
    told = (
        f"{found.judged_rows:,} rows are judged, in {found.windows - found.learned_windows} of {found.windows} windows "
        f"of {every}; parameters were tuned on those until {found.learned_until[:10]}. The grid has {found.models} "
        f"models ({', '.join(found.strategies)}); loss is by {found.metric}."
    )
    return f"### {found.stream}\n\n{told}\n\n{_table(titles, rows, texts=1)}\n\n{sentences}"


def _share(line: Line, priced: Priced) -> float:
    return priced.line(line.name).cost / priced.line(PERIOD).cost


def _told(priced: Priced) -> str:
    return f"cost, a training {_cost(priced.price)}"


def _name(line: Line) -> str:
    """Rivals in bold, what is no policy in italics."""
    mark = {"policy": "", "rival": "**"}.get(line.kind, "*")
    return f"{mark}{line.name}{mark}"


def _cells(line: Line) -> tuple[str, str, str]:
    regret = None if line.kind == "best" else line.regret
    return str(line.trainings), _cost(line.cost), _NONE if regret is None else _cost(regret)


def _against(line: Line, period: Line) -> str:
    """Less is better."""
    return f"{100 * (line.cost / period.cost - 1):+.1f} %".replace("-", "−")


def _cost(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]], *, texts: int) -> str:
    """The first so many columns are texts, which stand left."""
    rule = ["---" if place < texts else "---:" for place in range(len(titles))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (titles, rule, *rows))
