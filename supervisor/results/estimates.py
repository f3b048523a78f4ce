"""Estimates beside what came: how wrong they were, and what speaks for or against them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from shared.config.pipeline import Evaluation, Metric
from shared.messages.reports import Estimated, MetricValue
from shared.plugins import METRICS
from shared.words import counted

WRONG = 0.05  # of a share: a mean error beyond it is spoken of in the closing table
MOVED = 0.6  # from this AUC on features have moved so far that they may be what is wrong
_FACTS = ("rows", "calibrated_on", "effective_rows", "shift", "calibration_error")

Place = tuple[int, str, str]  # trigger, window, slice


def estimates_of(
    scores: Sequence[MetricValue], made: Mapping[Place, Estimated], evaluation: Evaluation
) -> dict[str, Any]:
    """What summary.json says of them; those of the composite's window one by one.

    `metrics`: over all windows and slices with both, error is |estimated − value|. `missing`: why others have none.
    """
    both = [one for one in scores if one.estimated is not None and one.value is not None]
    of_window = [one for one in scores if one.window == evaluation.prequential.name]
    return {
        "metrics": {
            one.label: _errors([score for score in both if score.metric == one.label], _share_of(one, made))
            for one in evaluation.metrics
            if evaluation.estimate is not None and one.label in evaluation.estimate.metrics
        },
        "calibration_error": _mean(one.calibration_error for one in made.values()),
        "shift": _mean(one.shift for one in made.values()),
        "missing": dict(sorted(Counter(one.error for one in made.values() if one.error is not None).items())),
        "windows": [_row(scored, made.get(place)) for place, scored in _by_place(of_window)],
    }


def _share_of(metric: Metric, made: Mapping[Place, Estimated]) -> Mapping[Place, Estimated]:
    """How estimates of a metric that is a share of rows were made; none of another."""
    kind = METRICS[metric.name]
    return made if (kind.best, kind.worst) == (1.0, 0.0) else {}


def _errors(both: Sequence[MetricValue], made: Mapping[Place, Estimated]) -> dict[str, Any]:
    errors = [_error(one) for one in both]
    furthest = max(both, key=_error, default=None)
    return {
        "windows": len(both),
        "mean_error": _mean(errors),
        "by_chance": _mean(_by_chance(one, made.get((one.trigger_id, one.window, one.slice))) for one in both),
        "largest_error": max(errors, default=None),
        "largest_at": None if furthest is None else furthest.trigger_id,
    }


def _error(score: MetricValue) -> float:
    assert score.estimated is not None
    assert score.value is not None
    return abs(score.estimated - score.value)


def _by_chance(score: MetricValue, made: Estimated | None) -> float | None:
    """The error that so few rows make alone: the mean distance between two shares, of the window's rows and of those
    that were calibrated on. None of what is no share.
    """
    if made is None or score.estimated is None or not score.n:
        return None
    share = min(max(score.estimated, 0.0), 1.0)
    calibrated_on = made.effective_rows or made.calibrated_on
    return math.sqrt(2 / math.pi * share * (1 - share) * (1 / score.n + 1 / calibrated_on))


def _mean(values: Iterable[float | None]) -> float | None:
    found = [one for one in values if one is not None]
    return sum(found) / len(found) if found else None


def _by_place(scores: Iterable[MetricValue]) -> Iterator[tuple[Place, list[MetricValue]]]:
    """Those of one window together, by trigger."""
    places: dict[Place, list[MetricValue]] = {}
    for one in scores:
        places.setdefault((one.trigger_id, one.window, one.slice), []).append(one)
    yield from sorted(places.items(), key=lambda item: item[0])


def _row(scores: Sequence[MetricValue], made: Estimated | None) -> dict[str, Any]:
    """A window: both values of each metric, and how the estimate was made."""
    return {
        "trigger": scores[0].trigger_id,
        "estimated": {one.metric: one.estimated for one in scores if one.estimated is not None},
        "value": {one.metric: one.value for one in scores if one.estimated is not None},
        **{fact: getattr(made, fact, None) for fact in _FACTS},
    }


def remarks(estimates: Mapping[str, Any]) -> Iterator[str]:
    """What the closing table says: how wrong they were, and where that is much, what it means."""
    for metric, one in estimates["metrics"].items():
        if one["mean_error"] is None:
            continue
        mean, largest = (f"{one[key]:.4f}" for key in ("mean_error", "largest_error"))
        at = f"model {one['largest_at']}"
        yield f"{metric} estimated without labels: off by {mean} on average, by {largest} at most ({at})"
    wrong = [metric for metric, one in estimates["metrics"].items() if _is_wrong(one)]
    if wrong:
        yield f"estimates of {', '.join(wrong)} do not hold here: {_why(estimates)}"
    for why, windows in estimates["missing"].items():
        yield f"not estimated: {counted(windows, 'window')}, as {why}"


def _is_wrong(errors: Mapping[str, Any]) -> bool:
    """Whether the error is one to speak of, and few rows do not explain it."""
    mean, by_chance = errors["mean_error"], errors["by_chance"]
    return mean is not None and by_chance is not None and bool(mean > max(WRONG, 2 * by_chance))


def _why(estimates: Mapping[str, Any]) -> str:
    """They assume that rows alike have labels alike, and that there are rows alike."""
    shift = estimates["shift"]
    if shift is None:
        return "see estimates in summary.json"
    auc = f"rows are told apart with AUC {shift:.2f}"
    if shift > MOVED:
        return f"features have moved ({auc}) to where little was calibrated on, and labels perhaps as well"
    return f"features have hardly moved ({auc}), so it is what labels rows like these have"
