"""tools/make-venv, which `make` and ./modyn-supervisor call first: what it says where a machine lacks something."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from workplace import PROJECT

FILES = ("constraints.txt", "requirements.txt", "requirements-dev.txt")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout without an environment, as far as the script needs one."""
    (tmp_path / "tools").mkdir()
    for name in ("tools/make-venv", *FILES):
        shutil.copy(PROJECT / name, tmp_path / name)
    return tmp_path


def make(checkout: Path, *files: str, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    """Call it, with the programs of this path."""
    command = [str(checkout / "tools" / "make-venv"), *files]
    environment = os.environ | {"PATH": path}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=60)


def programs(folder: Path, **scripts: str) -> str:
    """A path with what the script calls, and with these in the place of Python's."""
    folder.mkdir()
    for name in ("cat", "cksum", "dirname", "sh", "flock"):
        found = shutil.which(name)
        if found is not None:
            (folder / name).symlink_to(found)
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return str(folder)


@pytest.mark.parametrize("scripts", [{}, {"python3": "exit 1"}], ids=["no Python", "one that is too old"])
def test_a_machine_without_python_is_told(checkout: Path, tmp_path: Path, scripts: dict[str, str]) -> None:
    """Exit 3, as the system is not ready."""
    done = make(checkout, path=programs(tmp_path / "bin", **scripts))
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "error: Python 3.11 or newer is needed and was not found on PATH; install it and try again.\n"


def test_a_python_without_its_pip_is_told_each_time(checkout: Path, tmp_path: Path) -> None:
    """Debian's has none before python3-venv is installed, and leaves half an environment behind."""
    half = f'[ "$1" = -m ] && {{ {sys.executable} -m venv --without-pip "$3"; exit 1; }}; exec {sys.executable} "$@"'
    path = programs(tmp_path / "bin", python3=half)
    for _ in range(2):
        done = make(checkout, path=path)
        assert done.returncode == 3
        assert done.stderr.endswith(
            "error: python3 made no virtual environment; on Debian and Ubuntu install python3-venv, and try again.\n"
        )
        assert (checkout / ".venv" / "bin" / "python").exists()
        assert not (checkout / ".venv" / ".made").exists()


@pytest.mark.parametrize(
    ("made", "asked", "fits"),
    [
        (("requirements.txt",), (), True),
        (("requirements.txt", "requirements-dev.txt"), ("requirements-dev.txt",), True),
        (("requirements.txt", "requirements-dev.txt"), (), True),
        (("requirements.txt",), ("requirements-dev.txt",), False),
    ],
    ids=["to run", "to test", "to run where one can test", "to test where one can run"],
)
def test_an_environment_that_fits_is_left_alone(
    checkout: Path, tmp_path: Path, made: tuple[str, ...], asked: tuple[str, ...], fits: bool
) -> None:
    """Until the files that it was made of change; nothing is asked of Python for that."""
    (checkout / ".venv").mkdir()
    kind = ".made-dev" if len(made) > 1 else ".made"
    (checkout / ".venv" / kind).write_text(stamp(checkout, *made))
    (checkout / ".venv" / ".made-constraints").write_text(stamp(checkout, "requirements.txt"))
    path = programs(tmp_path / "bin")
    assert make(checkout, *asked, path=path).returncode == (0 if fits else 3)
    with (checkout / "constraints.txt").open("a") as file:
        file.write("another==1\n")
    assert make(checkout, *asked, path=path).returncode == 3


def stamp(checkout: Path, *files: str) -> str:
    """As the script writes it into an environment that it has made of these."""
    content = b"".join((checkout / name).read_bytes() for name in ("constraints.txt", *files))
    return subprocess.run(["cksum"], input=content, capture_output=True, check=True).stdout.decode()
