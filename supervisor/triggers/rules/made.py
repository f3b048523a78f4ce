"""The rule that a `decide:` block names, with what keeps it from firing around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.errors import ConfigurationError
from supervisor.triggers.decide import CoolDown, Hysteresis, PValue, Quantile, RollingAverage, Rule, Threshold, WarmUp
from supervisor.triggers.rules.rule import Direction

_BOUND = {"threshold": "threshold", "p_value": "alpha", "quantile": "q", "rolling_average": "deviation"}


def rule_of(decide: Mapping[str, Any], *, seed: int = 0, direction: Direction = "above") -> Rule:
    """The rule, as it is at first. Raises ConfigurationError where `release` is not looser than the bound.

    `direction`: of values that ask for a retraining, where the file names none. `seed`: of lots that it may draw.
    """
    rule = plain_rule(decide, seed, direction)
    if decide["warm_up"] is not None:
        inner = decide["warm_up"]["decide"]
        meanwhile = None if inner is None else rule_of(inner, seed=seed, direction=direction)
        rule = WarmUp(rule, decide["warm_up"]["values"], meanwhile=meanwhile)
    if decide["cool_down"]:
        rule = CoolDown(rule, decide["cool_down"])
    if decide["release"] is not None:  # outermost: what is kept from firing must not count as having fired
        looser = released(decide, decide["direction"] or direction)
        rule = Hysteresis(rule, plain_rule(looser, seed, direction))
    return rule


def asks_p_value(decide: Mapping[str, Any]) -> bool:
    """Whether it, or the rule of its warm-up, needs a statistic with a p-value."""
    inner = decide["warm_up"] and decide["warm_up"]["decide"]
    return decide["policy"] == "p_value" or bool(inner and asks_p_value(inner))


def released(decide: Mapping[str, Any], direction: str | None) -> dict[str, Any]:
    """The same with `release` for its bound. Raises ConfigurationError unless that is looser; `direction`: None if it
    is not known yet."""
    name = _BOUND[decide["policy"]]
    bound, release = decide[name], decide["release"]
    if name in ("alpha", "q"):
        looser, told = bound < release < 1, f"above {name}, {bound:g}, and below 1"
    elif name == "deviation":
        looser, told = 0 <= release < bound, f"below deviation, {bound:g}, and not below 0"
    else:
        side = {"above": "below", "below": "above"}.get(direction or "", "other than")
        looser = release != bound if direction is None else release < bound if side == "below" else release > bound
        told = f"{side} the threshold, {bound:g}"
    if not looser:
        raise ConfigurationError(f"{release:g} is no looser bound; write a number {told}")
    return {**decide, name: release}


def plain_rule(decide: Mapping[str, Any], seed: int, direction: Direction) -> Rule:
    """The rule alone, without what keeps it from firing. Raises ConfigurationError for options that fit no rule."""
    direction = decide["direction"] or direction
    match decide["policy"]:
        case "threshold":
            return Threshold(decide["threshold"], direction=direction)
        case "p_value":
            return PValue(decide["alpha"])
        case "quantile":
            return Quantile(decide["q"], decide["window"], direction=direction, seed=seed)
        case _:
            return RollingAverage(
                decide["deviation"], decide["window"], relative=decide["relative"], direction=direction
            )
