"""A sweep: one run for each combination, on one fleet, whatever happens to it."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from left_behind import assert_nothing_runs
from running import Running
from workplace import Workplace, environment

MOMENTUM = "training.optimizer.config.momentum"
WRONG = "-1"  # which only torch refuses
NAMES = [f"{MOMENTUM}={value}" for value in ("0", "0.5", "0.9", WRONG)]
SET = f"{MOMENTUM}=0,0.5,0.9,{WRONG}"
_END_S = 100.0
_LONGEST_S = 400.0


def sweep(place: Workplace, *options: str) -> Running:
    """A sweep that is watched."""
    place.write()
    return Running(place.command("sweep", *files(place), "--run-dir", str(place.folder / "sweep"), *options))


def files(place: Workplace) -> tuple[str, str]:
    """Both, as arguments."""
    return str(place.folder / "pipeline.yaml"), str(place.folder / "config.yaml")


def taken_up(place: Workplace, *options: str) -> subprocess.CompletedProcess[str]:
    """The sweep, resumed, to its end."""
    command = place.command("sweep", *files(place), "--run-dir", str(place.folder / "sweep"), "--resume", *options)
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=_LONGEST_S, cwd=place.folder, env=environment()
    )


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A sweep of four, of which one fails, that was killed when the first of them had ended."""
    place = Workplace.small(tmp_path_factory.mktemp("sweep"))
    with sweep(place, "--set", SET, "--parallel", "2") as running:
        running.wait_for("← 1 of 4")
        family = psutil.Process(running.process.pid).children(recursive=True)
        running.end(signal.SIGKILL)
    _, alive = psutil.wait_procs(family, timeout=_END_S)
    assert alive == []
    return place


@pytest.fixture(scope="module")
def resumed(killed: Workplace) -> Workplace:
    """The same, taken up to its end."""
    folder = killed.folder / "sweep"
    finished = (folder / NAMES[0] / "summary.json").stat().st_mtime_ns
    done = taken_up(killed, "--json")
    assert done.returncode == 1, done.stderr
    (killed.folder / "comparison.json").write_text(done.stdout)
    (killed.folder / "said.txt").write_text(done.stderr)
    assert (folder / NAMES[0] / "summary.json").stat().st_mtime_ns == finished
    (killed.folder / "runs" / ".broker.json").unlink(missing_ok=True)  # of the session that was killed
    assert_nothing_runs(killed)
    return killed


def test_a_run_that_fails_leaves_the_others_alone(resumed: Workplace) -> None:
    """It is named with its reason and its log, left out of the comparison, and the exit code is 1."""
    told = json.loads((resumed.folder / "comparison.json").read_text())
    assert sorted(Path(one["run"]).name for one in told["runs"]) == NAMES[:3]
    assert [Path(one["run"]).name for one in told["left_out"]] == [NAMES[3]]
    reason = told["left_out"][0]["reason"]
    assert f"--set {MOMENTUM}={WRONG}" in reason
    said = (resumed.folder / "said.txt").read_text()
    assert f"left out: {NAMES[3]}: {reason} ({resumed.folder}/sweep/logs/{NAMES[3]}.log)" in said


def test_a_run_of_a_sweep_is_as_one_by_itself(resumed: Workplace, fleet_url: str) -> None:
    """Killed and resumed on the way, beside others: the same bytes."""
    alone = Workplace(resumed.folder, resumed.pipeline, {**resumed.config}).use_fleet(fleet_url)
    done = alone.run("--experiment-mode", "--set", f"{MOMENTUM}=0.5", run_dir="alone")
    assert done.returncode == 0, done.stderr
    names = ["evaluations.csv", *(f"training_sets/{i}.parquet" for i in range(4)), "models/3/model.safetensors"]
    for name in names:
        ours = (resumed.folder / "sweep" / NAMES[1] / name).read_bytes()
        assert ours == (resumed.folder / "alone" / name).read_bytes(), name


def test_runs_of_a_sweep_are_listed(resumed: Workplace) -> None:
    """Though they lie deeper than others."""
    listed = json.loads(resumed.tell("runs", files(resumed)[1], "--json").stdout)
    folders = {one["run_dir"]: one["status"] for one in listed}
    assert [folders[str(resumed.folder / "sweep" / name)] for name in NAMES[:3]] == ["finished"] * 3


def test_ctrl_c_stops_all_and_tells_how_to_go_on(on_fleet: Workplace) -> None:
    """What had not begun is left out, too; --resume needs no --set, and takes no other."""
    with sweep(on_fleet, "--set", "training.seed=0,1", "--parallel", "1", "--quiet", "--json") as running:
        journal = on_fleet.folder / "sweep" / "training.seed=0" / "journal.jsonl"
        give_up_s = time.monotonic() + _END_S
        while not journal.exists() and time.monotonic() < give_up_s:
            time.sleep(0.02)
        assert running.end(signal.SIGINT) == 0
    said = "".join(running.said)
    assert "1 run that has not begun" in said
    assert f"--run-dir {on_fleet.folder / 'sweep'} --resume" in said
    done = taken_up(on_fleet, "--set", "training.seed=0,2")
    assert (done.returncode, "--set is not what this sweep began with" in done.stderr) == (2, True), done.stderr
    done = taken_up(on_fleet)
    assert (done.returncode, "training.seed=1" in done.stdout) == (0, True), done.stderr


def test_what_is_wrong_is_told_before_anything_begins(small: Workplace) -> None:
    """Exit code 2, and nothing is left."""
    small.write()
    done = small.tell("sweep", *files(small), "--run-dir", str(small.folder / "sweep"), "--set", "trigger.every=500,x")
    told = "trigger.every: 'x' is not a whole number of at least 1. (trigger.every=x)"
    assert (done.returncode, told in done.stderr) == (2, True), done.stderr
    assert not (small.folder / "sweep").exists()
