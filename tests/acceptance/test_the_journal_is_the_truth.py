"""Of a run only its journal, both YAML files and the dataset are left: --resume makes the rest anew, to the byte."""

from __future__ import annotations

import json
import shutil

import pytest
from running import Running
from workplace import Workplace

MADE = ["evaluations.csv", *(f"models/{n}/model.safetensors" for n in range(4)), "training_sets/*.parquet"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, fleet_url: str) -> Workplace:
    """A finished run, and what it made."""
    workplace = Workplace.small(tmp_path_factory.mktemp("finished")).use_fleet(fleet_url)
    done = workplace.run("--experiment-mode")
    assert done.returncode == 0, done.stderr
    return workplace


@pytest.fixture(scope="module")
def made(finished: Workplace) -> dict[str, bytes]:
    """What it made, by name."""
    return bodies(finished)


def bodies(workplace: Workplace) -> dict[str, bytes]:
    """What a run made, by name."""
    found = [file for name in MADE for file in workplace.run_dir.glob(name)]
    return {str(file.relative_to(workplace.run_dir)): file.read_bytes() for file in found}


def leave_the_journal(workplace: Workplace) -> None:
    """Delete all that a run made, the dataset's manifest included."""
    journal = (workplace.run_dir / "journal.jsonl").read_bytes()
    for folder in (workplace.run_dir, workplace.folder / "runs"):
        shutil.rmtree(folder, ignore_errors=True)
    workplace.run_dir.mkdir(exist_ok=True)  # a worker may have written to it since
    (workplace.run_dir / "journal.jsonl").write_bytes(journal)


def test_a_run_cut_off_in_the_middle(made: dict[str, bytes], on_fleet: Workplace) -> None:
    """Killed after its second model; meanwhile the dataset has grown, and a replay does not see that."""
    with Running.pipeline(on_fleet, "--experiment-mode") as run:
        run.wait_for("model 1 committed")
        run.process.kill()
        run.wait()
    leave_the_journal(on_fleet)
    on_fleet.add_file(2)
    done = on_fleet.run("--resume")
    assert done.returncode == 0, done.stderr
    assert bodies(on_fleet) == made


@pytest.mark.parametrize("last", ["selected", "trained", "gathered"])
def test_a_run_cut_off_after_a_report(made: dict[str, bytes], finished: Workplace, small: Workplace, last: str) -> None:
    """Its last line says that something was made which is not there any more, not even under an attempt's name."""
    lines = (finished.run_dir / "journal.jsonl").read_bytes().splitlines(keepends=True)
    told = [json.loads(line).get("report", {}) for line in lines]
    number = next(n for n, one in enumerate(told) if one.get("report") == last and one["task_id"].split("/")[1] == "1")
    small.write()
    small.run_dir.mkdir()
    moved = b"".join(lines[: number + 1]).replace(str(finished.folder).encode(), str(small.folder).encode())
    (small.run_dir / "journal.jsonl").write_bytes(moved)
    done = small.run("--resume")
    assert done.returncode == 0, done.stderr
    assert bodies(small) == made


def test_only_scores_and_summary(made: dict[str, bytes], finished: Workplace) -> None:
    """Of a finished run they are written anew without any worker."""
    summary = finished.run_dir / "summary.json"
    stale = {**finished.summary(), "status": "stopped", "triggers": 2}
    for left in (None, json.dumps(stale)):  # nothing, or what an earlier session wrote
        (finished.run_dir / "evaluations.csv").unlink()
        summary.unlink() if left is None else summary.write_text(left)
        done = finished.run("--resume")
        assert (done.returncode, "starting broker" in done.stderr) == (0, False), done.stderr
        assert bodies(finished) == made
        assert (finished.summary()["status"], finished.summary()["triggers"]) == ("finished", 4)


def test_a_finished_run(made: dict[str, bytes], finished: Workplace) -> None:
    """Sets, models and scores are there again, and the run is finished; a second --resume finds nothing to do."""
    composite = finished.summary()["composite"]
    leave_the_journal(finished)
    done = finished.run("--resume")
    assert done.returncode == 0, done.stderr
    assert "the model of trigger 3 is gone; it is made anew" in done.stderr
    assert bodies(finished) == made
    assert finished.summary()["composite"] == composite
    again = finished.run("--resume")
    assert (again.returncode, "is finished already" in again.stdout) == (0, True), again.stderr


def test_models_that_were_let_go(made: dict[str, bytes], on_fleet: Workplace) -> None:
    """The newest is made from the one before, which retention had removed: that is made, too, and removed again."""
    on_fleet.config["retention"] = {"models": {"newest": 1}}
    del on_fleet.pipeline["evaluation"]["on"][2]
    del on_fleet.pipeline["deployment"]
    kept = {"models/0/model.safetensors", "models/3/model.safetensors"}
    for option in ("--experiment-mode", "--resume"):
        done = on_fleet.run(option)
        assert done.returncode == 0, done.stderr
        now = bodies(on_fleet)
        assert {name: now[name] for name in now if name.startswith("models")} == {name: made[name] for name in kept}
        leave_the_journal(on_fleet)
