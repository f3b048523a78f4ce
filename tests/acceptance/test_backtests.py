"""A back-test: one grid of trainings, and what policies would have done there, as real runs do it."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import Any

import pytest
import yaml
from running import Running
from workplace import Workplace, environment

from supervisor.compare.scored_run import ScoredRun, read_run

GRID = {"every": 200, "strategies": [{"name": "latest", "limit": 300}]}
PRICE = {"training": 20, "error": 1}
POLICIES: dict[str, dict[str, Any]] = {
    "every 400": {"policy": "data_amount", "every": 400},
    "threshold": {"policy": "cost_threshold", "every": 200, "price": PRICE},
    "performance": {"policy": "performance", "every": 200, "decide": {"policy": "threshold", "threshold": 0.8}},
    "drift": {
        "policy": "data_drift",
        "every": 200,
        "window": {"rows": 200},
        "space": "embedding",
        "statistics": [{"name": "mmd", "decide": {"policy": "threshold", "threshold": 0.001}}],
    },
    "between": {"policy": "time", "every": "130h"},
}
ON_GRID = [name for name in POLICIES if name != "between"]
_END_S, _LONGEST_S = 100.0, 400.0


def policies(**changes: Any) -> str:
    """POLICIES.yaml."""
    given = {"grid": GRID, "prices": [20, {"gpu_second": 1, "error": 2}], "policies": POLICIES}
    return yaml.safe_dump({**given, **changes}, sort_keys=False)


def command(place: Workplace, *options: str, file: str = "POLICIES.yaml") -> list[str]:
    """A back-test of the workplace."""
    files = (place.folder / name for name in ("pipeline.yaml", "config.yaml", file))
    return place.command("backtest", *map(str, files), *options)


def done(place: Workplace, *options: str, file: str = "POLICIES.yaml") -> subprocess.CompletedProcess[str]:
    """One, to its end."""
    return subprocess.run(
        command(place, *options, file=file),
        check=False, capture_output=True, text=True, timeout=_LONGEST_S, cwd=place.folder, env=environment(),
    )  # fmt: skip


def by_rows_alone(place: Workplace) -> Workplace:
    """With a pipeline that can be back-tested, and both files written."""
    place.pipeline["training"]["use_previous_model"] = False
    place.pipeline["strategy"] = {"name": "all_data"}
    place.write()
    (place.folder / "POLICIES.yaml").write_text(policies())
    return place


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory, fleet_url: str) -> Workplace:
    """One that was stopped while its grid was being trained."""
    place = by_rows_alone(Workplace.small(tmp_path_factory.mktemp("backtest")).use_fleet(fleet_url))
    with Running(command(place, "--run-dir", str(place.folder / "bt"), "--parallel", "1")) as running:
        running.wait_for("→ 1 of 2: all_data begins")
        assert running.end(signal.SIGINT) == 0
    (place.folder / "said.txt").write_text("".join(running.said))
    return place


@pytest.fixture(scope="module")
def place(stopped: Workplace) -> Workplace:
    """The same, taken up to its end."""
    options = ("--json", "--plot", str(stopped.folder / "p.svg"), "--write", str(stopped.folder / "policy.yaml"))
    ended = done(stopped, "--run-dir", "bt", "--resume", *options)
    assert ended.returncode == 0, ended.stderr
    (stopped.folder / "told.json").write_text(ended.stdout)
    return stopped


@pytest.fixture(scope="module")
def told(place: Workplace) -> dict[str, Any]:
    """What it printed."""
    content: dict[str, Any] = json.loads((place.folder / "told.json").read_text())
    return content


@pytest.fixture(scope="module")
def runs(place: Workplace) -> dict[str, ScoredRun]:
    """A real run of each policy."""
    values = ",".join(json.dumps(block) for block in POLICIES.values())
    files = str(place.folder / "pipeline.yaml"), str(place.folder / "config.yaml")
    typed = place.command("sweep", *files, "--run-dir", "sweep", "--set", f"trigger={values}", "--json", "--quiet")
    ended = subprocess.run(
        typed, check=False, capture_output=True, text=True, timeout=_LONGEST_S, cwd=place.folder, env=environment()
    )
    assert ended.returncode == 0, ended.stderr
    found = [read_run(one.parent) for one in (place.folder / "sweep").glob("*/journal.jsonl")]
    blocks = {name: (block["policy"], str(block["every"])) for name, block in POLICIES.items()}
    return {
        name: next(one for one in found if one.configuration.pipeline.trigger.name == policy)
        for name, (policy, _) in blocks.items()
    }


def policy(told: dict[str, Any], name: str) -> dict[str, Any]:
    """What is told of one."""
    found: dict[str, Any] = next(one for one in told["policies"] if one["name"] == name)
    return found


def test_it_is_stopped_cleanly_and_says_how_to_go_on(stopped: Workplace) -> None:
    """With all that was typed but what is known."""
    said = (stopped.folder / "said.txt").read_text()
    assert "1 run of the grid has not begun" in said
    assert f"backtest {stopped.folder / 'pipeline.yaml'}" in said
    assert f"--run-dir {stopped.folder / 'bt'} --resume" in said


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_fires_as_in_a_real_run(told: dict[str, Any], runs: dict[str, ScoredRun], name: str) -> None:
    """The same rows, for the same reasons in words and numbers, whatever it asks of models."""
    triggers = [(one["id"], one["key"], one["reason"]) for one in policy(told, name)["triggers"]]
    real = [one.fired for _, one in sorted(runs[name].state.triggers.items())]
    assert len(real) > 2
    assert triggers == [(one.id, one.key, one.reason) for one in real]


@pytest.mark.parametrize("name", ON_GRID)
def test_where_the_grid_holds_its_triggers_its_scores_are_those_of_a_run(
    told: dict[str, Any], runs: dict[str, ScoredRun], name: str
) -> None:
    """To the byte: of each window by each metric, and of the composite where all of the stream is judged."""
    windows = {one["first_key"]: one for one in policy(told, name)["windows"]}
    real = runs[name].windows
    assert len(real) > 2
    for window in real:
        scores = window.scores["pipeline"]
        ours = windows[window.keys.first_key]
        assert (ours["last_key"], ours["n"]) == (window.keys.last_key, scores["accuracy"].n)
        assert {label: ours[label] for label in scores} == {label: one.value for label, one in scores.items()}
    if real[0].keys.first_key == 200:
        summary = json.loads((runs[name].path / "summary.json").read_text())
        assert policy(told, name)["composite"] == summary["composite"]


def test_models_of_the_grid_are_those_of_runs(place: Workplace, runs: dict[str, ScoredRun]) -> None:
    """To the byte, whichever triggers came before."""
    grid = read_run(place.folder / "bt" / "all_data").state
    ours = {one.fired.key: one.model for one in grid.triggers.values()}
    assert len(ours) == 10
    for name in ON_GRID:
        for one in runs[name].state.triggers.values():
            assert one.model is not None
            model = ours[one.fired.key]
            assert model is not None
            assert one.model.sha256 == model.sha256


def test_it_tells_what_policies_come_to(told: dict[str, Any]) -> None:
    """Beside baselines and the best schedules, which none of them beats."""
    assert told["grid"]["strategies"] == ["all_data", "latest limit=300"]
    assert (told["grid"]["models"], told["grid"]["rows"], told["metric"]) == (20, 1800, "accuracy")
    assert set(told["baselines"]) == {"never", "every", "no_change", "majority"}
    assert [one["at_most"] for one in told["best"] if "at_most" in one][:8] == list(range(1, 9))
    costs = [one["cost"] for one in told["policies"]]
    assert costs == sorted(costs)
    for one in told["policies"]:
        assert one["regret"] >= 0
        assert one["best_with_as_many"] >= one["mean"]
        lost = round((1 - one["mean"]) * 1800)
        assert one["cost"] == pytest.approx(20 * one["trainings"] + lost)
        assert [price["price"] for price in one["at_prices"]] == [20, {"gpu_second": 1, "error": 2}]


def test_the_least_costly_policy_is_a_file_that_a_pipeline_can_take(place: Workplace, told: dict[str, Any]) -> None:
    """And there is a picture."""
    written = yaml.safe_load((place.folder / "policy.yaml").read_text())
    assert written == {"trigger": {"price": {"training": 20, "error": 1}, **told["policies"][0]["trigger"]}}
    assert (place.folder / "p.svg").read_text().startswith("<?xml")


def test_other_policies_are_tried_on_the_same_grid(place: Workplace, told: dict[str, Any]) -> None:
    """At once, as nothing is trained; tuned, they are judged on what fitting has not seen. Another grid is refused."""
    others = {"monthly": {"policy": "data_amount", "every": 700}}
    (place.folder / "others.yaml").write_text(policies(policies=others))
    ended = done(place, "--run-dir", "bt", "--resume", "--tune", "--json", file="others.yaml")
    assert ended.returncode == 0, ended.stderr
    content = json.loads(ended.stdout)
    (one,) = content["policies"]
    assert one["parameters"].keys() == {"every"}
    assert content["tuned_until"] == "1970-02-03T07:00:00.000000Z"
    assert content["grid"]["rows"] == 1200
    (place.folder / "others.yaml").write_text(policies(grid={"every": 300}))
    ended = done(place, "--run-dir", "bt", "--resume", file="others.yaml")
    assert (ended.returncode, "grid: {every: 300} is not what this back-test began with" in ended.stderr) == (2, True)


def test_a_policy_that_cannot_be_replayed_is_named(place: Workplace) -> None:
    """With what its detector says."""
    blind = {"policy": "data_drift", "every": 200, "ignore": ["nope"]}
    (place.folder / "others.yaml").write_text(policies(policies={"weekly": POLICIES["between"], "blind": blind}))
    ended = done(place, "--run-dir", "bt", "--resume", file="others.yaml")
    assert ended.returncode == 3
    assert "error: policies.blind: detector drift, asked at key 1199: `ignore` names nope" in ended.stderr


def test_judging_can_be_stopped(place: Workplace) -> None:
    """At once, with how to go on; nothing has to be trained again."""
    with Running(command(place, "--run-dir", str(place.folder / "bt"), "--resume")) as running:
        running.wait_for("policies are replayed")
        assert running.end(signal.SIGINT) == 0
        assert "Stopped; all models are there. go on with:" in "".join(running.said)


def test_earlier_runs_stand_for_a_grid(place: Workplace, runs: dict[str, ScoredRun]) -> None:
    """Those of this pipeline, whatever fired; what is of another one is left out with the reason."""
    ended = done(place, "--runs", "sweep", "--json")
    assert ended.returncode == 0, ended.stderr
    content = json.loads(ended.stdout)
    keys = {one.fired.key for run in runs.values() for one in run.state.triggers.values()}
    assert (content["grid"]["models"], content["grid"]["every"]) == (len(keys), None)
    between = {one["key"] for one in policy(content, "between")["triggers"]}
    assert {one["model"]["key"] for one in policy(content, "between")["triggers"]} == between
    ended = done(place, "--runs", "sweep", "--set", "training.seed=7")
    assert ended.returncode == 3
    assert "is left out: its training.seed is another one." in ended.stderr


def test_a_run_that_fails_ends_it(on_fleet: Workplace) -> None:
    """With its reason, its log, and exit code 1."""
    by_rows_alone(on_fleet)
    ended = done(on_fleet, "--run-dir", "bt", "--set", "training.optimizer.config.momentum=-1")
    assert ended.returncode == 1
    assert "all_data failed: " in ended.stderr
    assert "momentum" in ended.stderr
    assert str(on_fleet.folder / "bt" / "logs" / "all_data.log") in ended.stderr


def test_what_cannot_be_back_tested_is_told_before_anything_begins(small: Workplace) -> None:
    """Exit code 2, and nothing is left."""
    by_rows_alone(small)
    small.pipeline["strategy"] = {"name": "new_data"}
    small.write()
    before = sorted(small.folder.rglob("*"))
    ended = done(small)
    told = "strategy: new_data selects from the rows since the trigger before"
    assert (ended.returncode, told in ended.stderr) == (2, True), ended.stderr
    assert sorted(small.folder.rglob("*")) == before
