"""A run that follows its dataset is stopped and resumed while files arrive: their keys last, whoever saw them first."""

from __future__ import annotations

import json
import shutil

from running import Running
from workplace import Workplace


def followed(on_fleet: Workplace, text: str, *options: str) -> None:
    """Follow until something is said, and stop."""
    with Running.pipeline(on_fleet, *options) as run:
        run.wait_for(text)
        assert run.end() == 0


def test_files_that_arrive_between_sessions_are_journaled(on_fleet: Workplace) -> None:
    """Two sessions each find a file that came while nobody watched; from the journal alone all is made anew."""
    on_fleet.config["notification"] = {"every": "0.1s"}
    followed(on_fleet, "model 3 committed")
    on_fleet.add_file(2)
    followed(on_fleet, "model 5 committed", "--resume")
    on_fleet.add_file(3)
    followed(on_fleet, "model 7 committed", "--resume")
    events = [json.loads(line) for line in (on_fleet.run_dir / "journal.jsonl").read_text().splitlines()]
    found = [entry["file"].rsplit("/")[-1] for event in events for entry in event.get("entries", [])]
    assert found == [f"part-{number}.parquet" for number in range(4)]
    before = (on_fleet.run_dir / "models/7/model.safetensors").read_bytes()
    (on_fleet.folder / "runs/datasets/rows.jsonl").unlink()
    (on_fleet.run_dir / "models/7/model.safetensors").unlink()
    on_fleet.add_file(4)
    followed(on_fleet, "model 9 committed", "--resume")
    assert (on_fleet.run_dir / "models/7/model.safetensors").read_bytes() == before


def test_a_run_that_was_killed_before_it_began_is_no_run(on_fleet: Workplace) -> None:
    """Its first line was torn: --resume says that no run has begun, and a new run may begin in the same place."""
    done = on_fleet.run("--experiment-mode", "--maximum-triggers", "1")
    assert done.returncode == 0, done.stderr
    journal = on_fleet.run_dir / "journal.jsonl"
    line = journal.read_bytes().splitlines()[0]
    for file in on_fleet.run_dir.iterdir():
        if file.name not in ("pipeline.yaml", "config.yaml", ".lock", "journal.jsonl"):
            shutil.rmtree(file) if file.is_dir() else file.unlink()
    journal.write_bytes(line[:40])
    refused = on_fleet.run("--resume")
    assert (refused.returncode, "holds no run that has begun" in refused.stderr) == (2, True), refused.stderr
    done = on_fleet.run("--experiment-mode", "--maximum-triggers", "1")
    assert done.returncode == 0, done.stderr
    assert on_fleet.summary()["triggers"] == 1


def test_a_journal_of_one_line_is_a_run(on_fleet: Workplace) -> None:
    """Cut off after its first line, also in the middle of the second, it goes on as what it was begun as."""
    done = on_fleet.run("--experiment-mode", "--maximum-triggers", "1")
    assert done.returncode == 0, done.stderr
    scores = on_fleet.evaluations()
    first, second = (on_fleet.run_dir / "journal.jsonl").read_bytes().splitlines(keepends=True)[:2]
    for rest in (b"", second[:40]):
        (on_fleet.run_dir / "journal.jsonl").write_bytes(first + rest)
        done = on_fleet.run("--resume")
        assert done.returncode == 0, done.stderr
        assert (on_fleet.summary()["mode"], on_fleet.summary()["triggers"]) == ("experiment", 1)
        assert on_fleet.evaluations() == scores
