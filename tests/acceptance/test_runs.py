"""Whole runs from the command line, with real workers and a real broker."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from running import Running
from workplace import PROJECT, Workplace, environment

from workers.inference import load_model


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, fleet_url: str) -> Workplace:
    """A run in experiment mode that finished, on one worker of each role."""
    workplace = Workplace.small(tmp_path_factory.mktemp("finished")).use_fleet(fleet_url)
    workplace.pipeline["training"]["use_previous_model"] = False  # so that several workers train side by side
    done = workplace.run("--experiment-mode")
    assert done.returncode == 0, done.stderr
    return workplace


def test_a_replay_trains_scores_and_deploys_at_every_trigger(finished: Workplace) -> None:
    """floor(n/m) triggers fire, each has a model, and the newest good one is deployed."""
    summary = finished.summary()
    assert (summary["status"], summary["triggers"], summary["deployed"]) == ("finished", 4, 3)
    assert [row["key"] for row in summary["trigger_list"]] == [499, 999, 1499, 1999]
    assert summary["composite"]["accuracy"] > summary["baselines"]["majority"]["accuracy"]


def test_training_sets_cover_the_train_split_exactly_once(finished: Workplace) -> None:
    """With new_data the sets are disjoint, ascending, and miss only rows of the test split."""
    sets = [pq.read_table(finished.run_dir / f"training_sets/{i}.parquet")["key"].to_pylist() for i in range(4)]
    keys = [key for one in sets for key in one]
    assert keys == sorted(set(keys))
    assert 1_500 < len(keys) < 1_700


def test_what_is_deployed_can_be_loaded_and_used(finished: Workplace) -> None:
    """model.json names an object that predicts probabilities for the dataset's rows."""
    rows = pq.read_table(finished.folder / "data/part-1.parquet")
    assert load_model(str(finished.run_dir / "deployed/deployed")).predict(rows).shape == (1000, 2)


def test_equal_seeds_give_equal_bytes_with_one_or_three_workers(finished: Workplace) -> None:
    """Training sets, scores and weights do not depend on the fleet's size."""
    own = {**finished.config, "broker": {"url": "embedded"}, "fleet": {"train": 3, "evaluate": 1, "device": "cpu"}}
    done = Workplace(finished.folder, finished.pipeline, own).run("--experiment-mode", run_dir="again")
    assert done.returncode == 0, done.stderr
    names = ["evaluations.csv", *(f"models/{i}/model.safetensors" for i in range(4)), "training_sets/2.parquet"]
    for name in names:
        assert (finished.run_dir / name).read_bytes() == (finished.folder / "again" / name).read_bytes(), name


def test_a_finished_run_says_so_when_it_is_resumed(finished: Workplace) -> None:
    """--resume of a finished run changes nothing and ends well; it says if there is more to be replayed by now."""
    done = finished.run("--experiment-mode", "--resume")
    assert (done.returncode, "finished already" in done.stdout) == (0, True), done.stderr
    assert "has grown" not in done.stdout
    finished.add_file(2)
    manifest = (finished.folder / "runs/datasets/rows.jsonl").read_bytes()
    done = finished.run("--experiment-mode", "--resume")
    assert (done.returncode, "Dataset rows has grown by 1,000 rows since. A new run" in done.stdout) == (0, True)
    assert (finished.folder / "runs/datasets/rows.jsonl").read_bytes() == manifest
    (finished.folder / "data/part-2.parquet").unlink()


def test_ctrl_c_stops_a_production_run_and_resume_goes_on(small: Workplace) -> None:
    """Production follows the dataset, records when it is stopped, and takes new files after --resume."""
    small.write()
    command = small.command("run", "pipeline.yaml", "config.yaml", "--run-dir", str(small.run_dir))
    with subprocess.Popen(command, cwd=small.folder, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "model 3 deployed" in line:
                process.send_signal(signal.SIGINT)
        assert process.wait(timeout=100) == 0
    assert small.summary()["status"] == "stopped"
    assert not list(Path(small.folder / "runs").glob(".broker.json"))


def test_a_model_that_is_not_deployed_leaves_the_target_alone(on_fleet: Workplace) -> None:
    """A gate that no model passes: the run finishes and nothing is deployed."""
    on_fleet.pipeline["deployment"]["gate"] = {"metric": "accuracy", "on": "recent", "at_least": 1.0}
    on_fleet.pipeline["trigger"]["every"] = 1500
    done = on_fleet.run("--experiment-mode")
    assert done.returncode == 0, done.stderr
    assert on_fleet.summary()["deployed"] is None
    assert not (on_fleet.run_dir / "deployed").exists()


def test_a_supervisor_stays_light(on_fleet: Workplace) -> None:
    """Under 150 MB resident after a hundred triggers, and neither torch nor workers in memory."""
    on_fleet.pipeline["trigger"]["every"] = 20
    on_fleet.pipeline["training"]["use_previous_model"] = False
    with Running.pipeline(on_fleet, "--experiment-mode") as run:
        run.wait_for("run finished")
        status = Path(f"/proc/{run.process.pid}/status").read_text()
        maps = Path(f"/proc/{run.process.pid}/maps").read_text()
        assert run.wait() == 0
    assert on_fleet.summary()["triggers"] == 100
    assert int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) < 150_000
    assert "torch" not in maps


def test_help_is_quick_to_read() -> None:
    """--help shows the commands without importing what they need."""
    code = "import sys; from supervisor.cli.parser import parser; parser(); print('celery' in sys.modules)"
    done = subprocess.run(
        [os.sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, env=environment(), check=True
    )
    assert done.stdout.strip() == "False"
