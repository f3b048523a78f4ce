"""What a run keeps: models that are still needed, few checkpoints, and nothing that no journal names."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from running import Running
from workplace import Workplace

_LOOK_EVERY_S = 0.02
TRIGGERS = ("--experiment-mode", "--maximum-triggers", "8")
DEPLOYED_LAST = 4  # the gate below lets 3 and 4 pass, and none of those that come after


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, fleet_url: str) -> dict[str, Workplace]:
    """Two runs of one pipeline: one keeps all its models, the other the newest two."""
    places = {name: Workplace.small(tmp_path_factory.mktemp(name)) for name in ("kept", "let_go")}
    for place in places.values():
        place.use_fleet(fleet_url)
        place.pipeline["trigger"]["every"] = 200
        place.pipeline["evaluation"]["models"] = {"newest": 2}
        place.pipeline["deployment"]["gate"]["at_least"] = 0.88
    places["let_go"].config["retention"] = {"models": {"newest": 2}}
    for place in places.values():
        done = place.run(*TRIGGERS)
        assert done.returncode == 0, done.stderr
        assert place.summary()["deployed"] == DEPLOYED_LAST
    return places


@pytest.fixture
def kept(both: dict[str, Workplace]) -> Workplace:
    """The run that keeps all its models."""
    return both["kept"]


@pytest.fixture
def let_go(both: dict[str, Workplace]) -> Workplace:
    """The run that keeps the newest two."""
    return both["let_go"]


def files(folder: Path) -> dict[str, tuple[int, bytes]]:
    """When every file below a folder was written last, and what it holds."""
    found = sorted(one for one in folder.rglob("*") if one.is_file() and one.name != ".lock")
    return {str(one.relative_to(folder)): (one.stat().st_mtime_ns, one.read_bytes()) for one in found}


def weights(workplace: Workplace) -> list[int]:
    """Triggers whose weights are there."""
    return sorted(int(one.parent.name) for one in workplace.run_dir.glob("models/*/model.safetensors"))


def test_old_weights_go_and_their_description_stays(let_go: Workplace) -> None:
    """The first, the deployed and the newest two keep their weights; each model keeps its model.json."""
    assert weights(let_go) == [0, DEPLOYED_LAST, 6, 7]
    assert len(list(let_go.run_dir.glob("models/*/model.json"))) == 8


def test_what_is_let_go_of_changes_no_score_and_no_model(let_go: Workplace, kept: Workplace) -> None:
    """Scores, training sets and the weights that are left are, to the byte, those of a run that keeps all."""
    assert weights(kept) == list(range(8))
    names = [str(one.relative_to(let_go.run_dir)) for one in let_go.run_dir.glob("*/*.parquet")]
    names += ["evaluations.csv", *(f"models/{trigger}/model.safetensors" for trigger in weights(let_go))]
    assert len(names) == 8 + 1 + 4
    for name in names:
        assert (let_go.run_dir / name).read_bytes() == (kept.run_dir / name).read_bytes(), name


def test_resuming_what_is_finished_makes_no_old_model_anew(let_go: Workplace) -> None:
    """It says that the run is finished; no file comes, goes or is written."""
    before = files(let_go.run_dir)
    done = let_go.run("--experiment-mode", "--resume")
    assert (done.returncode, "finished already" in done.stdout, done.stderr) == (0, True, "")
    assert files(let_go.run_dir) == before


def test_a_training_leaves_one_checkpoint_and_resume_clears_up(on_fleet: Workplace) -> None:
    """One checkpoint while it trains and when it is stopped; after --resume nothing is there that is not named."""
    on_fleet.config["retention"] = {"checkpoints": 1}
    on_fleet.pipeline["training"] |= {"epochs": 250, "batch_size": 8, "checkpoint_every_s": 0.05}
    mine = on_fleet.run_dir / "checkpoints/1/0"
    with Running.pipeline(on_fleet, "--experiment-mode", "--maximum-triggers", "2") as run:
        run.wait_for("… trigger 1")
        seen: set[str] = set()
        while len(seen) < 5:  # a new one is whole before the old one goes: for a moment there are two
            names = checkpoints(mine)
            assert (len(names) <= 2, run.process.poll()) == (True, None), names
            seen |= set(names) if len(names) == 1 else set()
            time.sleep(_LOOK_EVERY_S)
        assert run.end() == 0
    assert len(checkpoints(mine)) == 1
    committed = {name: one for name, one in files(on_fleet.run_dir / "models").items() if name.startswith("0/")}
    sets = files(on_fleet.run_dir / "training_sets")
    litter, ours_not = scatter(on_fleet.run_dir)
    done = on_fleet.run("--experiment-mode", "--resume")
    assert done.returncode == 0, done.stderr
    assert "made anew" not in done.stderr
    assert [one for one in litter if one.exists()] == []
    assert list((on_fleet.run_dir / "checkpoints").rglob("*")) == []
    assert [one for one in ours_not if one.read_text() != "keep"] == []
    for folder, before in (("models", committed), ("training_sets", sets)):
        after = files(on_fleet.run_dir / folder)
        assert {name: after[name] for name in before} == before
    assert sorted(committed) == ["0/model.json", "0/model.safetensors"]
    assert sorted(sets) == ["0.parquet", "1.parquet"]


def checkpoints(folder: Path) -> list[str]:
    """Whole checkpoints, oldest first."""
    return sorted(one.name for one in folder.glob("epoch-*.ckpt"))


def scatter(run_dir: Path) -> tuple[list[Path], list[Path]]:
    """Leave lying about what killed and late workers leave, and files of people; both as paths."""
    litter = [
        ".summary.json.0123.tmp",
        ".config.yaml.0123.tmp",
        "training_sets/.0.9-zombie.parquet",
        "training_sets/.0.9-zombie.parquet.0123.tmp",
        "models/0/.model.9-zombie.safetensors",
        "models/0/.member-0.9-zombie.safetensors",
        "checkpoints/0/0/epoch-000001-batch-000000001.ckpt",
        "checkpoints/0/0/.epoch-000001-batch-000000002.ckpt.0123.tmp",
    ]
    ours_not = ["notes.txt", "models/README", "models/0/notes.md", "training_sets/.about", "models/drafts/.mine"]
    ours_not += ["models/0/.ipynb_checkpoints/x", "training_sets/.0.drafts/x"]
    for name in (*litter, *ours_not):
        (run_dir / name).parent.mkdir(parents=True, exist_ok=True)
        (run_dir / name).write_text("keep")
    return [run_dir / name for name in litter], [run_dir / name for name in ours_not]
