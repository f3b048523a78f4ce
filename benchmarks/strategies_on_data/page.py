"""The tables, in Markdown, and their place in a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.strategies_on_data.asked import ALL, OF_OWN_SIZE
from benchmarks.strategies_on_data.found import Mean
from benchmarks.strategies_on_data.streams import STREAMS

LESS = 0.01  # of the score of all data: what counts as equal
_BEGIN, _END = "<!-- made by benchmarks.strategies_on_data: begin -->", "<!-- end -->"
_NONE = "–"


def tables(found: Mapping[str, Sequence[Mean]]) -> str:
    """Stream by stream, then what equal scores cost."""
    parts = [_stream(name, means) for name, means in found.items()]
    return "\n\n".join([*parts, _at_equal_score(found)])


def put(page: Path, made: str) -> None:
    """In the place of what was made before. Raises ValueError if the page has no such place."""
    text = page.read_text()
    before, begin, rest = text.partition(_BEGIN)
    _, finish, after = rest.partition(_END)
    if not begin or not finish:
        raise ValueError(f"{page} has no lines `{_BEGIN}` and `{_END}`; write them where the tables shall stand.")
    page.write_text(f"{before}{_BEGIN}\n\n{made}\n\n{_END}{after}")


def _stream(name: str, means: Sequence[Mean]) -> str:
    """All strategies of a stream: baselines first, then by share, the best first."""
    several = any(one.apart is not None for one in means)
    titles = ["share", "strategy", STREAMS[name].metric, *(["apart"] if several else [])]
    titles += ["rows trained", "selecting", "training", "both", "by the clock"]
    order = sorted(means, key=lambda one: (-(one.share or 2.0), -one.score))
    rows = [
        [
            _share(one),
            one.strategy,
            _figure(one.score),
            *([_figure(one.apart or 0.0)] if several else []),
            f"{'at most ' if one.strategy in OF_OWN_SIZE else ''}{one.rows:,.0f}",
            *(f"{seconds:.2f} s" for seconds in (one.select_s, one.train_s, one.cost_s, one.clock_s)),
        ]
        for one in order
    ]
    return f"### {name}\n\n{_table(titles, rows, texts=2)}"


def _at_equal_score(found: Mapping[str, Sequence[Mean]]) -> str:
    """For each strategy the cheapest size at which it reaches what all data does, nearly."""
    strategies = dict.fromkeys(one.strategy for means in found.values() for one in means)
    rows = [[f"needed: {ALL} less {LESS:g}", *(_figure(_needed(means)) for means in found.values())]]
    rows += [[name, *(_cheapest(name, means) for means in found.values())] for name in strategies]
    return f"### What an equal score costs\n\n{_table(['', *found], rows, texts=1)}"


def _needed(means: Sequence[Mean]) -> float:
    return next(one.score for one in means if one.strategy == ALL) - LESS


def _cheapest(strategy: str, means: Sequence[Mean]) -> str:
    """Its cost, that against all data's, and the share; nothing where no share reaches the score."""
    own = [one for one in means if one.strategy == strategy]
    if not own:
        return ""
    enough = [one for one in own if one.score >= _needed(means)]
    if not enough:
        return _NONE
    best = min(enough, key=lambda one: one.cost_s)
    all_s = next(one.cost_s for one in means if one.strategy == ALL)
    of = "" if best.share is None else f" with {_share(best)}"
    return f"{best.cost_s:.1f} s, {100 * best.cost_s / all_s:.0f} %{of}"


def _share(one: Mean) -> str:
    return _NONE if one.share is None else f"{one.share * 100:g} %"


def _figure(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]], *, texts: int) -> str:
    """The first so many columns are texts, which stand left."""
    rule = ["---" if place < texts else "---:" for place in range(len(titles))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (titles, rule, *rows))
