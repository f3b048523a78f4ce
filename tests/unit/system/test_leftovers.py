"""What a killed process left is removed; what somebody uses, or might, is not."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from workplace import PROJECT, environment

from shared.temporary import Maker, private_folder
from supervisor.system.leftovers import sweep

_MAKE = """
import sys
from shared.temporary import private_folder
print(private_folder("worker"), flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders that this test makes lie apart from those of others."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)


def maker() -> tuple[subprocess.Popen[str], Path]:
    """A process that has a folder of its own."""
    process = subprocess.Popen(
        [sys.executable, "-c", _MAKE], cwd=PROJECT, env=environment(), stdin=-1, stdout=-1, text=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_process_left_is_removed() -> None:
    """While it lives nobody touches its folder; when it has been killed the next supervisor clears it away."""
    process, folder = maker()
    sweep()
    assert folder.is_dir()
    process.kill()
    process.communicate()
    sweep()
    assert not folder.exists()


def test_folders_of_another_container_are_left() -> None:
    """It may share the place, and its processes cannot be seen from here: whether they live is not known."""
    process, folder = maker()
    process.kill()
    process.communicate()
    here = Maker.here(process.pid).machine
    elsewhere = folder.rename(folder.with_name(folder.name.replace(here, "0123abcd")))
    sweep()
    assert elsewhere.is_dir()


def test_a_pid_that_was_given_out_again_keeps_no_folder() -> None:
    """A process that was started later is not the one that made it."""
    folder = private_folder("worker")
    started = Maker.here(int(folder.name.split("-")[3])).started
    older = folder.rename(folder.with_name(folder.name.replace(f"-{started}-", "-1-")))
    sweep()
    assert not older.exists()


def test_an_unknown_folder_is_left() -> None:
    """What has not a name of ours, as one of another version, is nobody's to remove."""
    folder = Path(tempfile.mkdtemp(prefix="modyn-worker-1-"))
    sweep()
    assert folder.is_dir()
