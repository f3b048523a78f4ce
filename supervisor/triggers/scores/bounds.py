"""Bounds of `decide:` that no score of a metric can reach, or that all do: percents, mostly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.metrics.metric import MetricKind

_AWAY = {"drop": "by", "rolling_average": "deviation"}  # rules that look at how far a score is from another


def beyond(decide: Mapping[str, Any], kind: type[MetricKind], label: str) -> Iterator[tuple[str, str]]:
    """(key of `decide`, sentence) for each bound that lies outside of what the metric can be."""
    rule = decide["policy"]
    if rule == "threshold":
        for key in ("threshold", "release"):
            if decide[key] is not None and not _may_be(decide[key], kind):
                yield key, _no_score(decide[key], kind, label)
    elif rule in _AWAY and (furthest := _furthest(kind, relative=decide["relative"])) is not None:
        away = decide[_AWAY[rule]]
        if away > furthest:
            why = "as a share of what it was" if decide["relative"] else f"as it is {_range(kind)}"
            yield _AWAY[rule], f"{away:g} is more than {label} can worsen by, {why}; write a share, such as 0.1."
    elif rule == "cusum":
        yield from _beyond_of_cusum(decide, kind, label)
    meanwhile = decide["warm_up"] and decide["warm_up"]["decide"]
    if meanwhile:
        for key, sentence in beyond(meanwhile, kind, label):
            yield f"warm_up.decide.{key}", sentence


def _beyond_of_cusum(decide: Mapping[str, Any], kind: type[MetricKind], label: str) -> Iterator[tuple[str, str]]:
    expected, furthest = decide["expected"], _furthest(kind, relative=False)
    if isinstance(expected, float) and not _may_be(expected, kind):
        yield "expected", _no_score(expected, kind, label)
    if furthest is not None and decide["slack"] >= furthest:
        sentence = f"{decide['slack']:g} leaves nothing that could add up: {label} is {_range(kind)};"
        yield "slack", f"{sentence} write a share, such as 0.02."


def _ends(kind: type[MetricKind]) -> tuple[float | None, float | None]:
    return (kind.worst, kind.best) if kind.greater_is_better else (kind.best, kind.worst)


def _may_be(value: float, kind: type[MetricKind]) -> bool:
    least, most = _ends(kind)
    return (least is None or value >= least) and (most is None or value <= most)


def _furthest(kind: type[MetricKind], *, relative: bool) -> float | None:
    """How much worse one score can be than another; `relative`: as a share of the other. None: there is no bound."""
    if relative:
        return 1.0 if kind.greater_is_better and kind.worst == 0 else None
    return None if kind.best is None or kind.worst is None else abs(kind.best - kind.worst)


def _no_score(value: float, kind: type[MetricKind], label: str) -> str:
    remedy = "write a share, such as 0.7" if kind.best is not None and kind.worst is not None else "write one"
    return f"{value:g} is no value of {label}, which is {_range(kind)}; {remedy}."


def _range(kind: type[MetricKind]) -> str:
    least, most = _ends(kind)
    if least is not None and most is not None:
        return f"{least:g} to {most:g}"
    return f"at most {most:g}" if least is None else f"at least {least:g}"
