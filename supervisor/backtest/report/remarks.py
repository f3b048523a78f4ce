"""Lines below the table: what must be known to read it, and what should give pause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.printable import printable
from shared.timestamps import to_the_minute
from supervisor.backtest.report.words import price_words, score

_MOST_LISTED = 12  # trainings of a schedule
_GUESSES = {
    "no_change": ("no change", "who guesses the last label"),
    "majority": ("majority", "who guesses by how often each label came so far"),
}


def remarks(content: Mapping[str, Any]) -> Iterator[str]:
    """All of them."""
    yield "mean: over a policy's own windows, as a run scores them; worst, last: of the windows between grid points"
    if content["prices"]:
        yield from _priced(content)
    yield from _beaten(content)
    for one in content["policies"]:
        for note in one["notes"]:
            yield printable(f"{one['name']}: {note}")


def _priced(content: Mapping[str, Any]) -> Iterator[str]:
    price, several = content["prices"][0], len(content["prices"]) > 1
    errors = ", and 1 an error" if price["error"] == 1 else ""
    yield f"cost: {price_words(price)}{errors}; regret: how far above the best schedule{' (* least cost)' * several}"
    best = next(one for one in content["best"] if "price" in one)
    if 0 < len(best["triggers"]) <= _MOST_LISTED:
        strategies = len(content["grid"]["strategies"]) > 1
        each = (f"{to_the_minute(one['timestamp'])}{' ' + one['strategy'] * strategies}" for one in best["triggers"])
        yield printable(f"best at the first price: trains at {', '.join(one.strip() for one in each)}")


def _beaten(content: Mapping[str, Any]) -> Iterator[str]:
    """What needs no training, or only one, and is better than all policies."""
    policies = [one["mean"] for one in content["policies"] if one["mean"] is not None]
    if not policies:
        return
    sign = 1 if content["greater_is_better"] else -1
    best = max(policies, key=lambda mean: sign * mean)
    for name, (title, who) in _GUESSES.items():
        mean = content["baselines"].get(name, {}).get("mean")
        if mean is not None and sign * mean > sign * best:
            yield f"! {title} beats every policy, {score(mean)} to {score(best)}: {who} needs no model here"
    never = content["baselines"]["never"]
    if never["mean"] is not None and sign * never["mean"] > sign * best:
        yield f"! the first model, kept, beats every policy, {score(never['mean'])} to {score(best)}: no training pays"
