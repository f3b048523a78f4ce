"""Chaos: how far a selection is, by the journal and the files that a worker writes."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.chaos.scene import Scene
from benchmarks.chaos.selections import OpenSelection

WORKER = "evaluate-0-1-cpu@vm-0d67d763109f"
SET, STATE = "training_sets/.2.1-0d67d763109f.parquet", "selection_states/.2.1-0d67d763109f.msgpack"


def said(scene: Scene, **report: object) -> None:
    about = {"task_id": "run/2/select/0", "attempt": 1, "worker": WORKER}
    with scene.journal.open("a") as journal:
        journal.write(json.dumps({"event": "reported", "report": {**about, **report}}) + "\n")


def written(scene: Scene, name: str) -> None:
    (scene.run_dir / name).parent.mkdir(parents=True, exist_ok=True)
    (scene.run_dir / name).touch()


def test_each_moment_of_a_selection_is_seen(tmp_path: Path) -> None:
    """From the claim to the commit; files of an earlier attempt, and a line that is not whole, tell nothing."""
    scene = Scene(tmp_path)
    selection = OpenSelection(scene)
    assert selection.look() is None, "there is no journal yet"
    written(scene, SET.replace(".2.1-", ".2.0-"))
    said(scene, report="claimed")
    seen = [selection.look()]
    for name in (SET, STATE):
        written(scene, name)
        seen.append(selection.look())
    with scene.journal.open("a") as journal:
        journal.write('{"event":"repor')
    seen.append(selection.look())
    scene.journal.write_text(scene.journal.read_text().removesuffix('{"event":"repor'))
    said(scene, report="selected", training_set={"name": SET}, state={"name": STATE})
    seen.append(selection.look())
    for name in (SET, STATE):
        (scene.run_dir / name).rename(scene.run_dir / name.replace(".2.1-0d67d763109f", "2"))
        seen.append(selection.look())
    assert seen == ["taken", "set", "state", "state", "reported", "reported", "committed"]
