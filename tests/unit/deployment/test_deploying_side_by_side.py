"""Deployments that meet, crash or find something unexpected leave a complete model, the newest."""

from __future__ import annotations

import fcntl
import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from shared.durable import locked
from shared.errors import ArtifactError, NotReadyError
from workers.deployment.directory import DecisionStamp, deploy


def stamp(number, run_started_us=7):
    """A decision."""
    return DecisionStamp(run_started_us=run_started_us, number=number, run_id="run")


def body(number):
    """The model of a decision."""
    return b"%d" % number * 1000


def put(target, number, attempt="1-a", about=None):
    """Deploy the model of a decision."""
    return deploy(target, stamp(number), attempt, body(number), about or {})


def record(target):
    """model.json."""
    return json.loads((target / "model.json").read_text())


def read(target):
    """The decision's number and the object, as a reader finds them; overtaken twice, it looks again."""
    while True:
        found = record(target)
        try:
            object_ = (target / found["object"]).read_bytes()
        except FileNotFoundError:
            continue
        assert hashlib.sha256(object_).hexdigest() == found["sha256"]
        return found["decision"]["number"], object_


@pytest.mark.parametrize("seed", range(3))
def test_the_newest_of_many_wins(tmp_path, seed):
    """Decisions that arrive at the same time, in any order: the newest stays, and it knows that it did."""
    numbers = Random(seed).sample(range(40), 40)
    with ThreadPoolExecutor(8) as pool:
        deployed = dict(zip(numbers, pool.map(lambda number: put(tmp_path, number), numbers), strict=True))
    assert read(tmp_path) == (39, body(39))
    assert deployed[39]


def test_attempts_at_one_decision_meet(tmp_path):
    """All attempts at a decision agree that it is deployed, and one version of it stays."""
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda attempt: put(tmp_path, 1, f"{attempt}-a"), range(16)))
    put(tmp_path, 2)
    assert len(list((tmp_path / "versions").iterdir())) == 2
    assert read(tmp_path) == (2, body(2))


def test_reader_always_finds_a_complete_model(tmp_path):
    """During 100 switches each reading is a whole model, and models only get newer."""
    put(tmp_path, 0)
    done, seen = threading.Event(), []

    def look():
        while not done.is_set():
            number, object_ = read(tmp_path)
            assert object_ == body(number)
            seen.append(number)

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        for number in range(1, 101):
            assert put(tmp_path, number)
        done.set()
        looking.result(timeout=30)
    assert seen == sorted(seen)
    assert read(tmp_path) == (100, body(100))


def test_reader_of_the_old_record_finds_the_old_object(tmp_path):
    """One switch takes nothing away from who had already opened model.json, even after a crash in between."""
    put(tmp_path, 1)
    opened = record(tmp_path)
    crash(tmp_path, 2)
    put(tmp_path, 3)
    assert (tmp_path / opened["object"]).read_bytes() == body(1)


def crash(target, number):
    """Die while a version is being written: a description that is no JSON stands in for the kill."""
    with pytest.raises(TypeError):
        put(target, number, about={"no": object()})


def test_crash_leaves_the_old_model_and_its_remains_are_swept_up(tmp_path):
    """Half a version beside the old one is never named, and the next deployment removes it."""
    put(tmp_path, 1)
    crash(tmp_path, 2)
    assert read(tmp_path) == (1, body(1))
    put(tmp_path, 2, attempt="2-b")
    assert sorted(path.name for path in (tmp_path / "versions").iterdir()) == ["7-1-1-a", "7-2-2-b"]


def test_crash_of_the_first_deployment_does_not_spoil_the_folder(tmp_path):
    """What a killed first deployment left is ours, and the folder can be deployed to."""
    crash(tmp_path / "new", 1)
    assert put(tmp_path / "new", 1, attempt="2-b")
    assert read(tmp_path / "new") == (1, body(1))


def test_versions_of_newer_decisions_are_left_to_their_writers(tmp_path):
    """An older deployment does not sweep up what a newer one is writing, nor what is not a version."""
    for name in ("7-9-1-z", "notes"):
        (tmp_path / "versions" / name).mkdir(parents=True)
    put(tmp_path, 1)
    assert {path.name for path in (tmp_path / "versions").iterdir()} == {"7-9-1-z", "notes", "7-1-1-a"}


def test_record_says_how_to_load(tmp_path):
    """model.json holds code that names the folder, and when it was deployed."""
    put(tmp_path / "flights", 1, about={"model": "mlp"})
    found = record(tmp_path / "flights")
    assert found["load"].endswith(f"load_model('{tmp_path}/flights')")
    assert (found["model"], found["deployed_at"][-1]) == ("mlp", "Z")


@pytest.mark.parametrize("text", ["{", "{}", '{"object": "model.safetensors", "sha256": "00"}'])
def test_foreign_model_json_is_left_alone(tmp_path, text):
    """A model.json that no deployment wrote, as that of a run directory, is refused and kept."""
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(NotReadyError, match="was not written by a deployment"):
        put(tmp_path, 1)
    assert (tmp_path / "model.json").read_text() == text


def test_file_is_no_target(tmp_path):
    """A file where the folder should be is refused with the remedy."""
    (tmp_path / "flights").write_text("mine")
    with pytest.raises(NotReadyError, match="is a file; name an empty folder"):
        put(tmp_path / "flights", 1)


def test_folder_that_cannot_be_made_is_said(tmp_path):
    """What the system refuses is told as a sentence with a remedy."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtifactError, match="cannot be written: .*mend the folder"):
        put(tmp_path / "file" / "flights", 1)


def test_lock_of_a_stopped_process_is_not_waited_for(tmp_path):
    """A lock that is held beyond patience is an error that names it."""
    with (tmp_path / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(TimeoutError, match="another process has held"), locked(tmp_path / ".lock", 0.0):
            pass
    with locked(tmp_path / ".lock", 0.0):
        pass
