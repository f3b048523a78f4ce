"""The gate: may this model be deployed? A pure decision with its reason in words and numbers."""

from __future__ import annotations

import msgspec

from shared.config.pipeline import Gate
from shared.metrics import METRICS
from workers.evaluation.metrics import MetricScore


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Deploy or not, and why."""

    deploy: bool
    reason: str


def judge(
    gate: Gate | None, metric_name: str | None, candidate: MetricScore | None, deployed: MetricScore | None
) -> Verdict:
    """Judge the candidate's score on the gate's window, beside the deployed model's on the same rows, if there is one.

    Knows the metric's direction; an undefined score refuses; with nothing deployed only `at_least` counts.
    """
    if gate is None or metric_name is None:
        return Verdict(deploy=True, reason="no gate: every model is deployed")
    if candidate is None or candidate.value is None:
        why = candidate.error if candidate else "it was not computed"
        return Verdict(deploy=False, reason=f"{gate.metric} on {gate.on} is undefined ({why})")
    sign = 1 if METRICS[metric_name].greater_is_better else -1
    said = f"{gate.metric} {candidate.value:.4f} on {gate.on}"
    if gate.at_least is not None and sign * candidate.value < sign * gate.at_least:
        return Verdict(deploy=False, reason=f"{said} misses {gate.at_least:g}")
    if gate.not_worse_by is not None and deployed is not None and deployed.value is not None:
        worse_by = sign * (deployed.value - candidate.value)
        if worse_by > gate.not_worse_by:
            reason = (
                f"{said} is worse than the deployed model's {deployed.value:.4f} by more than {gate.not_worse_by:g}"
            )
            return Verdict(deploy=False, reason=reason)
        said += f", deployed model {deployed.value:.4f}"
    return Verdict(deploy=True, reason=f"{said} passes")
