"""A model is deployed only if the gate lets it, and what is deployed is always whole and the newest."""

from __future__ import annotations

import hashlib
import json

import pytest

from shared.config.pipeline import Gate
from shared.errors import NotReadyError
from workers.deployment.directory import DecisionStamp, deploy
from workers.deployment.gate import judge
from workers.evaluation.metrics import MetricScore


def score(value, error=None):
    """A score on ten rows."""
    return MetricScore(label="m", value=value, n=10, error=error)


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


def stamp(number, run_started_us=0):
    """A decision of a run."""
    return DecisionStamp(run_started_us=run_started_us, number=number, run_id=f"run-{run_started_us}")


def deployed_body(target):
    """The object that model.json names, after its hash was checked."""
    record = json.loads((target / "model.json").read_text())
    body = (target / record["object"]).read_bytes()
    assert (hashlib.sha256(body).hexdigest(), len(body)) == (record["sha256"], record["size_bytes"])
    return body


def files_in(target):
    """Every file below a folder with its bytes."""
    return {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}


def test_deployed_model_is_described(tmp_path):
    """model.json names the object, its hash, what is known about it, and the decision."""
    assert deploy(tmp_path / "new" / "folder", stamp(1), "a", b"weights", {"trigger": "t1"})
    record = json.loads((tmp_path / "new" / "folder" / "model.json").read_text())
    assert deployed_body(tmp_path / "new" / "folder") == b"weights"
    assert record["trigger"] == "t1"
    assert record["decision"] == {"run_started_us": 0, "number": 1, "run_id": "run-0"}


@pytest.mark.parametrize("older", [stamp(1, run_started_us=5), stamp(9, run_started_us=4)])
def test_older_decision_never_replaces_a_newer(tmp_path, older):
    """An older number, or any number of an older run, changes nothing and leaves nothing behind."""
    deploy(tmp_path, stamp(2, run_started_us=5), "a", b"newer", {})
    before = files_in(tmp_path)
    assert not deploy(tmp_path, older, "b", b"older", {})
    assert files_in(tmp_path) == before


def test_newer_run_starts_again_at_one(tmp_path):
    """The first decision of a newer run replaces the last of an older."""
    deploy(tmp_path, stamp(9, run_started_us=4), "a", b"old", {})
    assert deploy(tmp_path, stamp(1, run_started_us=5), "b", b"new", {})
    assert deployed_body(tmp_path) == b"new"


def test_repeated_deploy_changes_nothing(tmp_path):
    """The same decision done again, as after a redelivery, leaves every byte as it was."""
    deploy(tmp_path, stamp(1), "a", b"one", {"auroc": 0.7})
    before = files_in(tmp_path)
    assert deploy(tmp_path, stamp(1), "a", b"one", {"auroc": 0.7})
    assert files_in(tmp_path) == before


def test_repeated_older_deploy_changes_nothing(tmp_path):
    """A redelivered earlier decision does not take the version before away from its readers."""
    deploy(tmp_path, stamp(1), "a", b"one", {})
    deploy(tmp_path, stamp(2), "b", b"two", {})
    before = files_in(tmp_path)
    assert not deploy(tmp_path, stamp(1), "a", b"one", {})
    assert files_in(tmp_path) == before


def test_only_the_version_before_stays(tmp_path):
    """A reader of the previous model.json still finds its object; older versions go."""
    for number in range(1, 13):
        deploy(tmp_path, stamp(number), "a", b"%d" % number, {})
    assert sorted(path.name for path in (tmp_path / "versions").iterdir()) == ["0-11-a", "0-12-a"]
    assert deployed_body(tmp_path) == b"12"


def test_folder_with_other_files_is_left_alone(tmp_path):
    """A target that holds something else is refused with the remedy, and nothing is written."""
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(NotReadyError, match="holds other files and no model.json; name an empty folder"):
        deploy(tmp_path, stamp(1), "a", b"one", {})
    assert files_in(tmp_path) == {"thesis.tex": b"mine"}
