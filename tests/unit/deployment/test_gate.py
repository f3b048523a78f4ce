"""A model is deployed only if the gate lets it, and what is deployed is always whole and the newest."""

from __future__ import annotations

import pytest

from shared.config.pipeline import Gate
from shared.messages.reports import MetricScore
from workers.deployment.gate import judge


def score(value, error=None):
    """A score on ten rows."""
    return MetricScore(metric="m", value=value, n=10, error=error)


def gate(metric="accuracy", at_least=None, not_worse_by=None):
    """A gate on the window `recent`."""
    return Gate(metric=metric, on="recent", at_least=at_least, not_worse_by=not_worse_by)


def test_no_gate_deploys_everything():
    """Without a gate each model goes out."""
    assert judge(None, None, None, None).deploy


@pytest.mark.parametrize(
    ("metric", "candidate", "deployed"),
    [("accuracy", 0.7, True), ("accuracy", 0.69, False), ("log_loss", 0.7, True), ("log_loss", 0.71, False)],
)
def test_at_least_knows_the_direction(metric, candidate, deployed):
    """`at_least: .7` is a floor for accuracy and a ceiling for a loss; the bound itself passes."""
    verdict = judge(gate(metric, at_least=0.7), metric, score(candidate), None)
    assert verdict.deploy is deployed
    assert ("misses 0.7" in verdict.reason) is not deployed


@pytest.mark.parametrize(
    ("metric", "candidate", "deployed"),
    [("accuracy", 0.65, True), ("accuracy", 0.5, False), ("mse", 0.8, True), ("mse", 0.9, False)],
)
def test_not_worse_by_compares_with_the_deployed_model(metric, candidate, deployed):
    """A model may be a little worse than the deployed one, in the metric's own direction."""
    verdict = judge(gate(metric, not_worse_by=0.125), metric, score(candidate), score(0.75))
    assert verdict.deploy is deployed
    assert "0.7500" in verdict.reason


def test_first_model_is_compared_with_nothing():
    """With nothing deployed, only `at_least` counts."""
    assert judge(gate(not_worse_by=0.0), "accuracy", score(0.1), None).deploy


@pytest.mark.parametrize(("candidate", "why"), [(None, "not computed"), (score(None, "no rows"), "no rows")])
def test_undefined_score_refuses(candidate, why):
    """A score that is not there opens no gate, and the reason says why."""
    verdict = judge(gate(at_least=0.0), "accuracy", candidate, None)
    assert not verdict.deploy
    assert why in verdict.reason
