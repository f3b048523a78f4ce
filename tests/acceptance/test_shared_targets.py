"""A deployment target that several runs share: each model is judged against what is there, whoever put it there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from children import child_of
from workplace import Workplace

from shared.artifacts import ArtifactRef
from shared.claims import Attempt
from shared.config.load import load_configuration
from shared.errors import DataError
from shared.ids import RunId, TaskId, TriggerId, WorkerId
from shared.messages.reports import Decided, TargetDecision
from shared.messages.tasks import DecideTask, EvaluateTask, ModelRef, Stretch
from shared.targets.directory import DirectoryTarget
from shared.targets.target import Candidate
from supervisor.system.setup import setup_record
from workers.stages import decide, evaluate
from workers.stages.work import Work

RUN = RunId("this-run")
GATE = Stretch(window="recent", slice="", first_key=1500, last_key=1999, after_us=None, event_time_us=None)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, fleet_url: str) -> Workplace:
    """A workplace with two targets, whose experiment was told to deploy."""
    workplace = Workplace.small(tmp_path_factory.mktemp("served")).use_fleet(fleet_url)
    workplace.pipeline["deployment"]["targets"].append({"kind": "directory", "uri": "deployed", "name": "backup"})
    workplace.pipeline["deployment"]["targets"][1]["uri"] = "safe/place"
    workplace.pipeline["deployment"]["gate"] = {"metric": "accuracy", "on": "recent", "not_worse_by": 0.02}
    done = workplace.run("--experiment-mode", "--deploy")
    assert done.returncode == 0, done.stderr
    return workplace


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory, fleet_url: str) -> bytes:
    """A model that estimates the label as a number."""
    workplace = Workplace.small(tmp_path_factory.mktemp("numbers")).use_fleet(fleet_url)
    workplace.pipeline["model"]["config"] = {"num_classes": 1}
    workplace.pipeline["training"]["loss"] = {"name": "MSELoss"}
    workplace.pipeline["evaluation"]["metrics"] = ["mse"]
    del workplace.pipeline["deployment"]
    done = workplace.run("--experiment-mode")
    assert done.returncode == 0, done.stderr
    return (workplace.run_dir / "models" / "0" / "model.safetensors").read_bytes()


def described(folder: Path) -> dict[str, Any]:
    """What a target says that it holds."""
    told: dict[str, Any] = json.loads((folder / "model.json").read_text())
    return told


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file with its bytes."""
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_each_target_is_told_by_itself(served: Workplace) -> None:
    """summary.json says what each holds; each says the same of itself."""
    summary = served.summary()
    assert [(one["name"], one["uri"]) for one in summary["targets"]] == [
        ("deployed", f"{served.folder}/deployed"),
        ("backup", f"{served.folder}/safe/place"),
    ]
    for target in summary["targets"]:
        told = described(Path(target["uri"]))
        assert {key: told[key] for key in ("decision", "run", "trigger")} == {
            key: target[key] for key in ("decision", "run", "trigger")
        }
        assert told["run"] == summary["run_id"]
    assert summary["deployed"] == summary["targets"][0]["trigger"]


def test_an_experiment_only_rehearses(served: Workplace) -> None:
    """The same gate, the same switch, in folders of its own: what is served stays to the byte."""
    before = files_below(served.folder / "deployed") | files_below(served.folder / "safe")
    done = served.run("--experiment-mode", run_dir="rehearsal")
    assert done.returncode == 0, done.stderr
    assert files_below(served.folder / "deployed") | files_below(served.folder / "safe") == before
    summary = served.summary("rehearsal")
    assert summary["deployed"] == served.summary()["deployed"]
    for target in summary["targets"]:
        assert target["uri"] == f"{served.folder}/rehearsal/deployed/{target['name']}"
        assert described(Path(target["uri"]))["trigger"] == target["trigger"]


def test_a_worse_run_does_not_replace_what_another_run_put_there(served: Workplace) -> None:
    """Its models are compared with the one that is served, and the reason says whose that is."""
    before = files_below(served.folder / "deployed")
    worse = Workplace(served.folder, json.loads(json.dumps(served.pipeline)), served.config)
    worse.pipeline["training"]["optimizer"]["config"]["lr"] = 0.0
    worse.pipeline["training"]["seed"] = 1
    done = worse.run("--experiment-mode", "--deploy", run_dir="worse")
    assert done.returncode == 0, done.stderr
    first = served.summary()
    summary = worse.summary("worse")
    assert files_below(served.folder / "deployed") == before
    assert summary["deployed"] is None
    assert summary["targets"][0]["run"] == first["run_id"]
    last = summary["trigger_list"][-1]["decision"]
    assert f"worse than deployed model {first['deployed']} of run {first['run_id']}" in last
    assert f"deployed to deployed: model {first['deployed']} of run {first['run_id']}" in " ".join(done.stdout.split())


def test_a_better_run_replaces_it_and_the_counter_goes_on(served: Workplace) -> None:
    """A later run is not silenced by the one before, nor does it start the target's log anew."""
    target = DirectoryTarget(served.folder / "deployed")
    held = target.held()
    assert held is not None
    better = Workplace(served.folder, json.loads(json.dumps(served.pipeline)), served.config)
    better.pipeline["deployment"]["gate"] = {"metric": "accuracy", "on": "recent", "at_least": 0.5}
    done = better.run("--experiment-mode", "--deploy", run_dir="better")
    assert done.returncode == 0, done.stderr
    newer = list(target.since(held.decision))
    assert {one.run for one in newer} == {better.summary("better")["run_id"]}
    assert [one.decision for one in newer] == list(range(held.decision + len(newer), held.decision, -1))
    assert described(served.folder / "deployed")["decision"] == newer[0].decision


class Deciding:
    """The stages of a decision, called one after the other, on the model of a finished run."""

    def __init__(self, served: Workplace, folder: Path, gate: dict[str, Any] | None = None) -> None:
        shutil.copytree(served.folder / "data", folder / "data")
        shutil.copytree(served.run_dir, folder / "run")
        place = Workplace(folder, json.loads(json.dumps(served.pipeline)), served.config)
        place.pipeline["deployment"]["targets"] = [{"kind": "directory", "uri": "target"}]
        place.pipeline["deployment"]["gate"] = gate or place.pipeline["deployment"]["gate"]
        place.write()
        files = (folder / "pipeline.yaml", folder / "config.yaml")
        self.configuration = load_configuration(*files, experiment_mode=True)
        manifests = served.folder / "runs"
        self.record = setup_record(self.configuration, RUN, str(folder / "run"), str(manifests), serves=True)
        self.target = DirectoryTarget(folder / "target")
        self.run_dir, self.folder = folder / "run", folder

    def model(self, trigger: int) -> ModelRef:
        """A committed model."""
        told = described(self.run_dir / "models" / str(trigger))
        name = f"models/{trigger}/model.safetensors"
        return ModelRef(
            trigger_id=TriggerId(trigger),
            object=ArtifactRef(name=name, sha256=told["sha256"], size_bytes=told["size_bytes"]),
        )

    def body(self, trigger: int) -> bytes:
        """Its bytes."""
        return (self.run_dir / "models" / str(trigger) / "model.safetensors").read_bytes()

    def another_run_deploys(self, trigger: int, body: bytes) -> None:
        """Somebody else switches."""
        made = Candidate(
            run=RunId("other"), trigger=TriggerId(trigger), attempt="1-x", pipeline="p", model="logistic", body=body
        )
        assert self.target.switch(made, self.target.held(), "it is good")

    def evaluate(self, trigger: int) -> Any:
        """What the gate's evaluation returns to the decision."""
        who = {"run_id": RUN, "trigger_id": TriggerId(trigger), "setup_version": self.record.version}
        task = EvaluateTask(**who, models=(self.model(trigger),), stretches=(GATE,), gate=True)
        return evaluate.run(self.work(task, []))[1]

    def decide(self, trigger: int, result: Any, known: dict[str, int] | None = None) -> TargetDecision:
        """What is decided."""
        who = {"run_id": RUN, "trigger_id": TriggerId(trigger), "setup_version": self.record.version}
        task = DecideTask(**who, candidate=self.model(trigger), gate=GATE, device="cpu", known=known or {})
        report, _ = decide.run(self.work(task, [result]))
        assert isinstance(report, Decided)
        return report.targets[0]

    def work(self, task: Any, results: list[Any]) -> Work:
        """A task, claimed."""
        name = TaskId(f"{RUN}/{task.trigger_id}/{task.kind}/0")
        attempt = Attempt(run_id=RUN, task_id=name, number=1, worker=WorkerId("worker-0123456789ab"))
        return Work(task=task, record=self.record, attempt=attempt, results=results, child=child_of(self.folder))


@pytest.fixture
def deciding(served: Workplace, tmp_path: Path) -> Deciding:
    """A decision on an empty target."""
    return Deciding(served, tmp_path)


def test_a_model_that_came_while_the_candidate_was_judged_is_judged_against(deciding: Deciding) -> None:
    """Its scores are not among those of the gate: it is scored on the same rows, and its run named."""
    result = deciding.evaluate(3)
    assert not result["rivals"]
    deciding.another_run_deploys(9, deciding.body(3))
    told = deciding.decide(3, result)
    assert told.deployed
    assert "not worse than deployed model 9 of run other" in told.reason
    assert (told.decision, told.run, told.trigger) == (2, RUN, 3)


def test_a_model_that_cannot_be_compared_with_refuses_and_says_why(deciding: Deciding) -> None:
    """What is served is no model of this kind: nobody can say that the candidate is not worse."""
    deciding.another_run_deploys(9, b"no safetensors")
    told = deciding.decide(3, deciding.evaluate(3))
    assert not told.deployed
    assert "where deployed model 9 of run other has none to compare with" in told.reason
    assert (told.run, told.trigger) == ("other", 9)


def test_a_model_of_numbers_is_no_measure_for_one_of_classes(deciding: Deciding, numbers: bytes) -> None:
    """What is served estimates something else: the gate refuses and says so, and the run goes on."""
    deciding.another_run_deploys(9, numbers)
    told = deciding.decide(3, deciding.evaluate(3))
    assert not told.deployed
    assert "(it predicts numbers, and accuracy measures classes)" in told.reason
    unseen = deciding.decide(3, {**deciding.evaluate(3), "rivals": []})
    assert unseen.reason == told.reason


@pytest.mark.parametrize("lost", ["its object", "versions"])
def test_a_model_of_ones_own_that_is_gone_is_put_there_again(deciding: Deciding, lost: str) -> None:
    """A decision that is repeated finds its record, and not the model: it passed, so the target gets it."""
    result = deciding.evaluate(2)
    first = deciding.decide(2, result)
    record = deciding.target.held()
    assert record is not None
    shutil.rmtree(deciding.folder / "target" / Path(record.object).parents[0 if lost == "its object" else 1])
    again = deciding.decide(2, result)
    held = deciding.target.held()
    assert held is not None
    assert (again.deployed, again.reason, again.decision) == (True, first.reason, 2)
    assert deciding.target.body(held) == deciding.body(2)


@pytest.mark.parametrize(("gate", "deployed"), [({"at_least": 0.5}, True), ({"not_worse_by": 0.02}, False)])
def test_a_target_that_lost_its_objects_goes_on(
    served: Workplace, tmp_path: Path, gate: dict[str, float], deployed: bool
) -> None:
    """What it names cannot be compared with: only a gate that compares refuses, until the target is removed."""
    deciding = Deciding(served, tmp_path, {"metric": "accuracy", "on": "recent", **gate})
    deciding.another_run_deploys(9, deciding.body(1))
    shutil.rmtree(tmp_path / "target" / "versions")
    told = deciding.decide(3, deciding.evaluate(3))
    assert told.deployed == deployed
    if not deployed:
        assert "cannot be read" in told.reason
        assert "remove the target's folder" in told.reason
        shutil.rmtree(tmp_path / "target")
        assert deciding.decide(3, deciding.evaluate(3)).deployed


def test_a_lost_manifest_says_nothing_of_what_is_served(deciding: Deciding) -> None:
    """The rival is not refused for it: the decision waits until the manifest is back."""
    deciding.another_run_deploys(9, deciding.body(1))
    result = deciding.evaluate(3)
    manifest = deciding.folder / "no" / "rows.jsonl"
    deciding.record = msgspec.structs.replace(deciding.record, manifest_uri=str(manifest))
    with pytest.raises(DataError, match=f"{manifest} is not there.*--resume"):
        deciding.decide(3, {**result, "rivals": []})


def test_a_decision_that_is_repeated_changes_nothing(deciding: Deciding) -> None:
    """Its first worker died after the switch; also with another run's model in its place by now."""
    result = deciding.evaluate(2)
    first = deciding.decide(2, result)
    assert deciding.decide(2, result) == first
    assert first.deployed
    deciding.another_run_deploys(9, deciding.body(1))
    again = deciding.decide(2, result)
    assert (again.deployed, again.run, again.trigger) == (True, "other", 9)


def test_a_decision_that_a_newer_one_followed_is_told_as_it_was_taken(deciding: Deciding) -> None:
    """A run whose journal lost its end decides again, knowing of the newest: what the log names was deployed."""
    result = deciding.evaluate(1)
    first = deciding.decide(1, result)
    deciding.another_run_deploys(9, deciding.body(1))
    assert deciding.decide(2, deciding.evaluate(2)).deployed
    for known in (0, 1, 3):
        again = deciding.decide(1, result, known={"target": known})
        assert (again.deployed, again.reason, again.trigger) == (True, first.reason, 2)


def test_an_older_model_never_replaces_a_newer_of_its_run(deciding: Deciding) -> None:
    """A zombie decides late; also where another run's decision came between."""
    old = deciding.evaluate(1)
    assert deciding.decide(2, deciding.evaluate(2)).deployed
    deciding.another_run_deploys(9, deciding.body(2))
    told = deciding.decide(1, old)
    assert not told.deployed
    assert told.reason == "model 2 of this run was deployed meanwhile, which is newer"
    assert (told.run, told.trigger) == ("other", 9)


def test_a_later_model_is_not_replaced_however_long_the_run_knows_of_it(deciding: Deciding) -> None:
    """A copy of a run goes on: it was told of the original's newer model when it decided before."""
    result = deciding.evaluate(1)
    assert deciding.decide(3, deciding.evaluate(3)).deployed
    held = deciding.target.held()
    assert held is not None
    told = deciding.decide(1, result, known={"target": held.decision})
    assert (told.deployed, told.trigger) == (False, 3)
    assert told.reason == "model 3 of this run was deployed meanwhile, which is newer"
    assert deciding.target.held() == held
