"""What is drawn: a point for whoever trains, a level for who does not, and the steps of the best schedules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

_MAJORITY = {"classification": "majority so far", "regression": "mean so far"}
_FAR = 0.75  # of what the others span: a level that is farther away would press them together


class Point(NamedTuple):
    """Of one policy, or of a calendar."""

    name: str
    trainings: int
    mean: float
    kind: str  # policy | least (costly of them) | calendar


class Level(NamedTuple):
    """Of a guess without a model."""

    name: str
    mean: float


class Drawn(NamedTuple):
    """All of it."""

    points: list[Point]
    levels: list[Level]
    beyond: list[Level]  # that are too far away to be shown
    steps: list[tuple[int, float]]  # trainings, and the best mean with at most so many

    @property
    def most(self) -> int:
        """Trainings."""
        return max([one.trainings for one in self.points] + [trainings for trainings, _ in self.steps], default=1)

    @property
    def means(self) -> list[float]:
        """All that are shown."""
        of_levels, of_steps = [one.mean for one in self.levels], [mean for _, mean in self.steps]
        return [*(one.mean for one in self.points), *of_levels, *of_steps]


class EqualCost(NamedTuple):
    """Where whatever costs the same lies: at each number of trainings the mean that makes up for them."""

    name: str
    cost: float
    trainings: int
    mean: float
    rise: float  # of the mean, for each training more

    def at(self, trainings: float) -> float:
        """The mean there."""
        return self.mean + self.rise * (trainings - self.trainings)


def drawn_of(content: Mapping[str, Any]) -> Drawn:
    """What the content has of it; policies in its order."""
    points = list(_points(content))
    steps = [(one["trainings"], one["mean"]) for one in content["frontier"] if one["mean"] is not None]
    baselines = content["baselines"]
    guesses = [
        Level(title, baselines[name]["mean"])
        for name, title in (("no_change", "no change"), ("majority", _MAJORITY[content["task"]]))
        if baselines.get(name, {}).get("mean") is not None
    ]
    near = [one.mean for one in points] + [mean for _, mean in steps]
    shown = [one for one in guesses if _is_near(one.mean, near)]
    return Drawn(points, shown, [one for one in guesses if one not in shown], steps)


def equal_costs(content: Mapping[str, Any]) -> list[EqualCost]:
    """Through the best schedule at the first price, and through the least costly policy.

    None where seconds are paid for, of which a number of trainings does not tell.
    """
    price = content["prices"][0] if content["prices"] else None
    rows, policies = content["grid"]["rows"], content["policies"]
    if price is None or price["gpu_second"] or not price["error"] or not policies or not rows:
        return []
    rise = price["training"] / (price["error"] * rows) * (1 if content["greater_is_better"] else -1)
    best = next(one for one in content["best"] if "price" in one)
    named = [("the best schedule", best), (policies[0]["name"], policies[0])]
    return [
        EqualCost(name, one["cost"], one["trainings"], one["mean"], rise)
        for name, one in named
        if one["mean"] is not None
    ]


def _points(content: Mapping[str, Any]) -> Iterator[Point]:
    for place, one in enumerate(content["policies"]):
        if one["mean"] is not None:
            kind = "least" if place == 0 and one["cost"] is not None else "policy"
            yield Point(one["name"], one["trainings"], one["mean"], kind)
    for name in ("never", "every"):
        one = content["baselines"][name]
        if one["mean"] is not None:
            title = "first model kept" if name == "never" else "each model of the grid"
            yield Point(title, one["trainings"], one["mean"], "calendar")


def _is_near(mean: float, others: Sequence[float]) -> bool:
    if not others:
        return True
    lowest, highest = min(others), max(others)
    room = (highest - lowest) * _FAR or max(abs(highest), 1e-9) * 0.1
    return lowest - room <= mean <= highest + room
