"""The gate: may this model be deployed? A pure decision with its reason in words and numbers."""

from __future__ import annotations

import math

import msgspec

from shared.config.pipeline import Gate
from shared.messages.reports import MetricScore
from shared.plugins import METRICS


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Deploy or not, and why."""

    deploy: bool
    reason: str


def judge(
    gate: Gate | None,
    metric_name: str | None,
    candidate: MetricScore | None,
    deployed: MetricScore | None,
    deployed_model: int | str | None = None,
) -> Verdict:
    """Judge the candidate's score on the gate's window, beside the deployed model's on the same rows, if there is one.

    Knows the metric's direction: where less is better, `at_least` is a ceiling. A bound that is just met is met.
    An undefined score refuses, be it the candidate's or the one to compare with; with nothing deployed only
    `at_least` counts. `deployed_model` is what the reason calls the deployed model.
    """
    if gate is None or metric_name is None:
        return Verdict(deploy=True, reason="no gate: every model is deployed")
    if candidate is None or candidate.value is None:
        return Verdict(deploy=False, reason=f"{gate.metric} on {gate.on} is undefined ({_why(candidate)})")
    sign = 1 if METRICS[metric_name].greater_is_better else -1
    bounds = [bound for bound in (gate.at_least, deployed.value if deployed else None) if bound is not None]
    said = f"{gate.metric} {_number(candidate.value, *bounds)} on {gate.on}"
    met = []
    if gate.at_least is not None:
        if sign * candidate.value < sign * gate.at_least:
            return Verdict(deploy=False, reason=f"{said} misses {gate.at_least:g}")
        met.append(f"{'≥' if sign > 0 else '≤'} {gate.at_least:g}")
    if gate.not_worse_by is not None and deployed is not None:
        rival = "the deployed model" if deployed_model is None else f"deployed model {deployed_model}"
        if deployed.value is None:
            return Verdict(deploy=False, reason=f"{said}, where {rival} has none to compare with ({_why(deployed)})")
        compared = f"worse than {rival} ({_number(deployed.value, candidate.value)}) by more than {gate.not_worse_by:g}"
        worse_by = sign * (deployed.value - candidate.value)
        # .8 − .79 is a little more than .01 in binary.
        if worse_by > gate.not_worse_by and not math.isclose(worse_by, gate.not_worse_by, rel_tol=1e-9):
            return Verdict(deploy=False, reason=f"{said} is {compared}")
        met.append(f"not {compared}")
    return Verdict(deploy=True, reason=f"{said} {' and '.join(met)}" if met else f"{said}, and nothing is deployed yet")


def _why(score: MetricScore | None) -> str:
    return (score.error or "it has no value") if score else "it was not computed"


def _number(value: float, *beside: float) -> str:
    """Four decimals, or all of them where four would hide a difference."""
    short = f"{value:.4f}"
    hides = any(value != other and short == f"{other:.4f}" for other in beside)
    return repr(value) if hides else short
