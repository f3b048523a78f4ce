"""Everyone on one stream at each price: the product's policies, rivals, calendars, guesses and the best schedule."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.policies.asked import policies_file
from benchmarks.policies.found import Found, Kind, Line, Priced
from benchmarks.policies.matrix import bill
from benchmarks.policies.measured import Measured, measured
from benchmarks.policies.product import backtest
from benchmarks.policies.rivals.all import RIVALS
from benchmarks.policies.streams import Stream

_CALENDARS = ("never", "every")
_ONE = 1.0


def compare(stream: Stream, folder: Path, shares: Sequence[float]) -> Found:
    """`folder`: for the grid, which is trained if it is not there; `shares`: of the loss that says what a training
    costs. Raises RuntimeError if a command fails.
    """
    began_s = time.monotonic()
    content, ground = _ground(stream, folder)
    _told(stream, f"{ground.models} models, measured in {time.monotonic() - began_s:.0f} s")
    prices = [_priced(stream, folder, ground, share) for share in shares]
    return Found(
        stream=stream.name,
        metric=content["metric"],
        every=stream.every,
        strategies=tuple(content["grid"]["strategies"]),
        models=ground.models,
        windows=ground.matrix.windows,
        learned_windows=ground.learned,
        learned_until=content["tuned_until"],
        judged_rows=ground.judged_rows,
        prices=tuple(prices),
    )


def _ground(stream: Stream, folder: Path) -> tuple[dict[str, Any], Measured]:
    """The grid, and its losses: by a back-test of one policy that asks nothing."""
    grid = {"every": stream.every, "strategies": list(stream.strategies)}
    policies = {"grid": grid, "prices": [_ONE], "policies": {"clock": {"policy": "time", "every": "36500d"}}}
    content = backtest(stream, folder, "ground", policies)
    return content, measured(stream, folder, folder / "ground.yaml", content)


def _priced(stream: Stream, folder: Path, ground: Measured, share: float) -> Priced:
    """All of them where a training costs this share of what the first model loses."""
    began_s, price = time.monotonic(), float(f"{share * ground.kept_loss:.3g}")
    asked = policies_file(stream.every, list(stream.strategies), price, ground.shape)
    content = backtest(stream, folder, f"price-{share:g}", asked)
    lines = [*_of_product(content, ground, price), *_of_rivals(ground, price, _best(content)["cost"])]
    _told(stream, f"{len(lines)} at a price of {price:g}, in {time.monotonic() - began_s:.0f} s")
    return Priced(share=share, price=price, lines=tuple(lines))


def _of_product(content: Mapping[str, Any], ground: Measured, price: float) -> Iterator[Line]:
    """What the command says."""
    for one in content["policies"]:
        learned_cost = ground.learned_cost(one["triggers"], price)
        yield _line(one["name"], "policy", one, one["parameters"], learned_cost)
    for name, one in content["baselines"].items():
        yield _line(name, "calendar" if name in _CALENDARS else "guess", one, {})
    yield _line("best schedule", "best", {**_best(content), "regret": 0.0}, {})


def _of_rivals(ground: Measured, price: float, best: float) -> Iterator[Line]:
    """What the matrix says of them; `best`: the cost of the best schedule."""
    for name, rival in RIVALS.items():
        ruling = rival(ground.matrix, price, ground.learned)
        came_to = bill(ground.matrix, ruling.switches, price, ground.learned, ground.matrix.windows)
        learned = bill(ground.matrix, ruling.switches, price, 0, ground.learned)
        yield Line(
            name=name,
            kind="rival",
            trainings=came_to.trainings,
            mean=ground.mean(came_to.loss),
            cost=came_to.cost,
            regret=came_to.cost - best,
            parameters=dict(ruling.parameters),
            learned_cost=learned.cost + price,  # the first model is paid for
        )


def _best(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """At the price."""
    found: Mapping[str, Any] = next(one for one in content["best"] if "price" in one)
    return found


def _line(
    name: str, kind: Kind, one: Mapping[str, Any], parameters: Mapping[str, Any], learned_cost: float | None = None
) -> Line:
    """Of the product."""
    return Line(
        name=name,
        kind=kind,
        trainings=one["trainings"],
        mean=one["mean"],
        cost=one["cost"],
        regret=one["regret"],
        parameters=dict(parameters),
        learned_cost=learned_cost,
    )


def _told(stream: Stream, sentence: str) -> None:
    print(f"{stream.name}: {sentence}", file=sys.stderr, flush=True)
