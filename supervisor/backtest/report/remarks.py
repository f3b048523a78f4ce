"""Lines below the table: what must be known to read it, and what should give pause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.printable import printable
from supervisor.backtest.report.words import baseline_words, price_words, score

_GUESSES = {
    "no_change": "who guesses the last label",
    "majority": "who guesses by the labels so far",
}


def remarks(content: Mapping[str, Any]) -> Iterator[str]:
    """All of them."""
    yield "mean: over a policy's own windows, as a run scores them; worst, last: of those between grid points"
    yield "triggers, windows, reasons and all other metrics: --json"
    if content["prices"]:
        several = len(content["prices"]) > 1
        told = f"cost: {price_words(content['prices'][0])}; regret: how far above the best schedule"
        yield told + (", * the least cost" if several else "")
    yield from _beaten(content)
    yield from _fewer_rows(content)
    for one in content["policies"]:
        for note in one["notes"]:
            yield printable(f"{one['name']}: {note}")


def _fewer_rows(content: Mapping[str, Any]) -> Iterator[str]:
    """Guesses that were scored on other rows than the policies."""
    rows = content["grid"]["rows"]
    for name in _GUESSES:
        own = content["baselines"].get(name, {}).get("rows", rows)
        if own != rows:
            title = baseline_words(name, content["task"])
            yield f"{title}: on the {own:,} of these rows of which a run of the grid has whole windows"


def _beaten(content: Mapping[str, Any]) -> Iterator[str]:
    """What needs no training, or only one, and is better than all policies."""
    policies = [one["mean"] for one in content["policies"] if one["mean"] is not None]
    if not policies:
        return
    sign = 1 if content["greater_is_better"] else -1
    best = max(policies, key=lambda mean: sign * mean)
    for name, who in _GUESSES.items():
        mean = content["baselines"].get(name, {}).get("mean")
        if mean is not None and sign * mean > sign * best:
            title = baseline_words(name, content["task"]).split(":")[0]
            yield f"! {title} beats every policy, {score(mean)} to {score(best)}: {who} needs no model here"
    never = content["baselines"]["never"]
    if never["mean"] is not None and sign * never["mean"] > sign * best:
        yield f"! the first model, kept, beats every policy, {score(never['mean'])} to {score(best)}: no training pays"
