"""A run directory that was moved or copied is whole by itself, and no run has two supervisors."""

from __future__ import annotations

import json
import os
import shutil
import socket
from contextlib import suppress
from pathlib import Path

from running import Running
from undisturbed import assert_as_undisturbed, slow
from workplace import Workplace

from shared.broker import connect
from shared.ids import RunId
from shared.names import owner_key, setup_key
from supervisor.run.owner import Owner


def contents(folder: Path) -> dict[str, bytes]:
    """All that lies in a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def copied(run_dir: Path) -> Path:
    """A copy of a run directory; what goes away while it is made is not in it."""
    copy = run_dir.parent / "copy"
    with suppress(shutil.Error):
        shutil.copytree(run_dir, copy)
    return copy


def killed(place: Workplace, after: str) -> None:
    """A run whose supervisor was killed."""
    with Running.pipeline(place, "--experiment-mode") as run:
        run.wait_for(after)
        run.process.kill()
        run.wait()


def test_a_moved_run_goes_on(on_fleet: Workplace, undisturbed: Workplace) -> None:
    """What workers still train for it where it was does not count; then they know better. The bytes are the same."""
    slow(on_fleet)
    killed(on_fleet, "model 1 committed")
    moved = on_fleet.folder / "elsewhere"
    on_fleet.run_dir.rename(moved)
    assert str(on_fleet.run_dir).encode() not in (moved / "journal.jsonl").read_bytes()
    done = on_fleet.run("--resume", run_dir="elsewhere")
    assert done.returncode == 0, done.stderr
    assert_as_undisturbed(moved, undisturbed)
    assert not list(on_fleet.run_dir.glob("models/*/model.*"))
    assert json.loads((moved / "models/3/model.json").read_bytes())["object"] == "model.safetensors"


def test_a_copy_beside_the_running_original_is_refused(on_fleet: Workplace, undisturbed: Workplace) -> None:
    """Nothing of it is heard, set up or torn down, so the original goes on as if nobody had come."""
    slow(on_fleet)
    with Running.pipeline(on_fleet, "--experiment-mode") as run:
        run.wait_for("model 0 committed")
        copy = copied(on_fleet.run_dir)
        journal = (copy / "journal.jsonl").read_bytes()
        refused = on_fleet.run("--resume", run_dir="copy")
        assert refused.returncode == 3, refused.stderr
        assert f"another supervisor, process {run.process.pid} on {socket.gethostname()}" in refused.stderr
        assert (copy / "journal.jsonl").read_bytes() == journal[: journal.rfind(b"\n") + 1]
        assert run.wait() == 0
        assert not [line for line in run.said if line.startswith("!") or "forgotten" in line]
    assert_as_undisturbed(on_fleet.run_dir, undisturbed)


def test_a_copy_goes_on_after_the_original(on_fleet: Workplace, undisturbed: Workplace) -> None:
    """What Redis still holds as done lies in the original: it is made anew here, and the original stays as it is."""
    slow(on_fleet)
    with Running.pipeline(on_fleet, "--experiment-mode") as run:
        run.wait_for("model 0 committed")
        copy = copied(on_fleet.run_dir)
        assert run.wait() == 0
    before = contents(on_fleet.run_dir)
    done = on_fleet.run("--resume", run_dir="copy")
    assert done.returncode == 0, done.stderr
    assert_as_undisturbed(copy, undisturbed)
    assert contents(on_fleet.run_dir) == before


def test_a_copy_goes_on_where_the_original_was_killed(on_fleet: Workplace, undisturbed: Workplace) -> None:
    """Its reports are still in Redis, and its workers at work. Later the original goes on, too."""
    slow(on_fleet)
    with Running.pipeline(on_fleet, "--experiment-mode") as run:
        run.wait_for("model 0 committed")
        copy = copied(on_fleet.run_dir)
        run.wait_for("model 2 committed")
        run.process.kill()
        run.wait()
    for folder in (copy, on_fleet.run_dir):
        done = on_fleet.run("--resume", run_dir=folder.name)
        assert done.returncode == 0, done.stderr
        assert_as_undisturbed(folder, undisturbed)


def test_a_copy_with_a_broker_of_its_own_goes_on_beside_the_original(small: Workplace, undisturbed: Workplace) -> None:
    """It knows nothing of the original, which lies still: its directory stays as it is, to the byte."""
    with Running.pipeline(slow(small), "--experiment-mode") as run:
        run.wait_for("model 1 committed")
        assert run.end() == 0
    before = contents(small.run_dir)
    copy = copied(small.run_dir)
    small.config["artifacts"] = {"uri": "runs of the copy"}
    done = small.run("--resume", run_dir="copy")
    assert done.returncode == 0, done.stderr
    assert_as_undisturbed(copy, undisturbed)
    assert contents(small.run_dir) == before
    assert "runs of the copy" in (copy / "config.yaml").read_text()


def test_a_killed_supervisor_is_replaced_at_once(on_fleet: Workplace) -> None:
    """Whatever the lease: its process is gone, and this machine knows that."""
    on_fleet.config["lease"] = "1h"
    killed(on_fleet, "model 0 committed")
    with Running.pipeline(on_fleet, "--resume") as run:
        run.wait_for("model 3 committed")
        assert run.wait() == 0
        assert not [line for line in run.said if "waiting for its lease" in line]


def test_who_has_lost_its_run_writes_nothing_more(on_fleet: Workplace) -> None:
    """Another supervisor took it when Redis had lost the owner: exit 3, no end in the journal, nothing torn down."""
    slow(on_fleet)
    with Running.pipeline(on_fleet) as run, connect(on_fleet.config["broker"]["url"]) as client:
        run.wait_for("model 0 committed")
        run_id = RunId(json.loads((on_fleet.run_dir / "journal.jsonl").read_bytes().partition(b"\n")[0])["run_id"])
        client.delete(owner_key(run_id))
        other = Owner(client, run_id, 60.0)
        other.take()
        assert run.wait() == 3
        assert any(f"another supervisor, process {os.getpid()} on" in line for line in run.said)
        lines = (on_fleet.run_dir / "journal.jsonl").read_bytes().splitlines()
        assert [line for line in lines if b'"event":"ended"' in line] == []
        other.check()
        assert client.exists(setup_key(run_id))
        client.delete(setup_key(run_id))
        other.leave()
