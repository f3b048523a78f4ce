"""The gate says in words and numbers why it opened or did not."""

from __future__ import annotations

import pytest

from shared.config.pipeline import Gate
from shared.messages.reports import MetricScore
from workers.deployment.gate import judge


def score(value, error=None):
    """A score on ten rows."""
    return MetricScore(metric="m", value=value, n=10, error=error)


def verdict(candidate, deployed=None, metric="accuracy", **bounds):
    """What the gate on `recent` says, where model 3 may be deployed."""
    gate = Gate(metric=metric, on="recent", **{"at_least": None, "not_worse_by": None, **bounds})
    return judge(gate, metric, score(candidate), deployed, 3 if deployed else None)


def test_all_that_was_met_is_said():
    """Both bounds, with the numbers that met them."""
    found = verdict(0.8123, score(0.8), at_least=0.6, not_worse_by=0.01)
    wanted = "accuracy 0.8123 on recent ≥ 0.6 and not worse than deployed model 3 (0.8000) by more than 0.01"
    assert (found.deploy, found.reason) == (True, wanted)


def test_ceiling_is_said_as_one():
    """Where less is better, `at_least` reads ≤."""
    assert verdict(0.3, metric="log_loss", at_least=0.5).reason == "log_loss 0.3000 on recent ≤ 0.5"


def test_bound_that_was_missed_is_said():
    """A refusal names the bound, and the deployed model by its number."""
    assert verdict(0.5812, at_least=0.6).reason == "accuracy 0.5812 on recent misses 0.6"
    found = verdict(0.75, score(0.8), not_worse_by=0.01)
    assert found.reason == "accuracy 0.7500 on recent is worse than deployed model 3 (0.8000) by more than 0.01"


def test_rounding_hides_no_difference():
    """A score just short of the bound is not shown as the bound."""
    assert verdict(0.59999, at_least=0.6).reason == "accuracy 0.59999 on recent misses 0.6"


def test_nothing_to_compare_with():
    """`not_worse_by` alone lets the first model through."""
    found = verdict(0.1, not_worse_by=0.0)
    assert (found.deploy, found.reason) == (True, "accuracy 0.1000 on recent, and nothing is deployed yet")


def test_undefined_rival_refuses():
    """A comparison that cannot be made is not passed."""
    found = verdict(0.9, score(None, "one class only"), not_worse_by=0.5)
    assert not found.deploy
    assert "deployed model 3 has none to compare with (one class only)" in found.reason


def test_undefined_rival_is_no_matter_to_a_floor():
    """`at_least` alone asks nothing of the deployed model."""
    assert verdict(0.9, score(None, "no rows"), at_least=0.5).deploy


@pytest.mark.parametrize(("candidate", "deploys"), [(0.79, True), (0.7899, False)])
def test_bound_that_is_just_met_is_met(candidate, deploys):
    """.8 − .79 exceeds .01 in binary arithmetic only."""
    assert verdict(candidate, score(0.8), not_worse_by=0.01).deploy is deploys
