"""A full disk or a damaged artifact: a clear sentence, exit 1, and --resume goes on once it is mended."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import disks
import pytest
from running import Running
from undisturbed import assert_as_undisturbed, slow
from workplace import Workplace


@pytest.fixture
def small_disk(on_fleet: Workplace) -> Iterator[Path]:
    """A file system of 4 MB, on which the run directory will lie."""
    with disks.small_disk(on_fleet.folder / "disk", 4 * 2**20) as disk:
        yield disk


def test_a_full_disk(on_fleet: Workplace, small_disk: Path, undisturbed: Workplace) -> None:
    """The run ends and says so; --resume says so again, and with room it ends as if nothing had been."""
    with Running.pipeline(slow(on_fleet), "--experiment-mode", run_dir="disk/run") as run:
        run.wait_for("model 1 committed")
        filler = disks.fill(small_disk)
        assert run.wait() == 1
    assert "No space left on device" in run.said[-1], run.said
    assert "Traceback" not in "".join(run.said)
    still = on_fleet.run("--resume", run_dir="disk/run")
    assert (still.returncode, "No space left on device" in still.stderr, "Traceback" in still.stderr) == (
        1,
        True,
        False,
    )
    filler.unlink()
    done = on_fleet.run("--resume", run_dir="disk/run")
    assert done.returncode == 0, done.stderr
    assert_as_undisturbed(small_disk / "run", undisturbed)


def test_a_store_that_cannot_be_read_has_lost_nothing(on_fleet: Workplace) -> None:
    """A committed model cannot be looked at: --resume says so and makes nothing anew; later all is there."""
    with Running.pipeline(on_fleet, "--experiment-mode") as run:
        run.wait_for("model 1 committed")
        assert run.end(signal.SIGINT) == 0
    model = on_fleet.run_dir / "models/1/model.safetensors"
    model.rename(model.with_name("away"))
    model.symlink_to(model)  # whoever looks at it gets an error that is not "no such file"
    done = on_fleet.run("--resume")
    assert (done.returncode, f"{model} cannot be looked at" in done.stderr) == (1, True), done.stderr
    assert "Traceback" not in done.stderr
    model.unlink()
    model.with_name("away").rename(model)
    done = on_fleet.run("--resume")
    assert (done.returncode, "made anew" in done.stderr) == (0, False), done.stderr


@pytest.mark.parametrize("damaged", ["models/1/model.safetensors", "training_sets/2.parquet"])
def test_a_damaged_artifact(on_fleet: Workplace, undisturbed: Workplace, damaged: str) -> None:
    """What does not hash to what was recorded is not used; brought back, or deleted, the run goes on."""
    with Running.pipeline(slow(on_fleet), "--experiment-mode") as run:
        run.wait_for("… trigger 2")
        assert run.end(signal.SIGINT) == 0
    file = on_fleet.run_dir / damaged
    body = file.read_bytes()
    file.write_bytes(body[:-9] + b"corrupted")
    done = on_fleet.run("--resume")
    assert done.returncode == 1, done.stderr
    assert f"{file} is not what was recorded" in done.stderr
    assert "Restore it, or delete it" in done.stderr
    assert "Traceback" not in done.stderr
    if damaged.startswith("models"):
        file.write_bytes(body)
    else:
        file.unlink()
    done = on_fleet.run("--resume")
    assert done.returncode == 0, done.stderr
    assert_as_undisturbed(on_fleet.run_dir, undisturbed)
