"""What pip installs: the command works in any folder, without a checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import distributions
from pathlib import Path

import pytest
from workplace import PROJECT, Workplace, environment

from shared.version import VERSION

_SOURCES = ("celeryconfig.py", "modyn_supervisor.py", "pyproject.toml", "setup.py", "README.md", "LICENSE")
_OF_WORKERS = ("torch", "functorch", "safetensors")
_OFFLINE = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the package in it, and with what that depends on, but for its extra `worker`."""
    source, place = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("environment")
    for name in (*_SOURCES, *(file.name for file in PROJECT.glob("requirements*.txt"))):
        shutil.copy(PROJECT / name, source)
    for name in ("shared", "supervisor", "workers"):
        shutil.copytree(PROJECT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    venv.create(place, symlinks=True)
    packages = packages_of(place)
    for there in Path(sysconfig.get_path("purelib")).iterdir():
        if not there.name.startswith(_OF_WORKERS):
            (packages / there.name).symlink_to(there)
    pip = [sys.executable, "-m", "pip", "--python", str(place / "bin" / "python"), "install", *_OFFLINE]
    subprocess.run([*pip, str(source)], check=True, cwd=source, env=alone())
    return place


def packages_of(place: Path) -> Path:
    """Where an environment has its packages."""
    (found,) = place.glob("lib/python*/site-packages")
    return found


def alone(**others: str) -> dict[str, str]:
    """An environment that does not name the checkout."""
    return {name: value for name, value in environment().items() if name != "PYTHONPATH"} | others


def tell(place: Path, folder: Path, *words: str, **others: str) -> subprocess.CompletedProcess[str]:
    """Type the installed command in a folder."""
    command = [str(place / "bin" / "modyn-supervisor"), *words]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=200, cwd=folder, env=alone(**others)
    )


def test_it_works_in_any_folder(small: Workplace, installed: Path) -> None:
    """Help, version and the check of both files without PyTorch; with it a run, on workers of its own."""
    small.write()
    assert "usage: modyn-supervisor PIPELINE CONFIG" in tell(installed, small.folder, "--help").stdout
    assert tell(installed, small.folder, "--version").stdout == f"modyn-supervisor {VERSION}\n"
    done = tell(installed, small.folder, "validate", "pipeline.yaml", "config.yaml", "--offline")
    assert (done.returncode, "not checked, PyTorch is not installed here" in done.stdout) == (0, True), done.stderr
    run = ("pipeline.yaml", "config.yaml", "--experiment-mode", "--maximum-triggers", "1", "--run-dir", "run")
    done = tell(installed, small.folder, *run)
    assert (done.returncode, 'pip install ".[worker]"' in done.stderr) == (3, True), done.stderr
    for there in Path(sysconfig.get_path("purelib")).iterdir():
        if there.name.startswith(_OF_WORKERS):
            (packages_of(installed) / there.name).symlink_to(there)
    done = tell(installed, small.folder, *run)
    assert done.returncode == 0, done.stderr
    assert (small.run_dir / "models" / "0" / "model.safetensors").exists()


def test_extras_bring_what_not_all_need(installed: Path) -> None:
    """Workers have PyTorch, and who asks for pictures matplotlib; all others have neither."""
    (package,) = distributions(name="modyn-supervisor", path=[str(packages_of(installed))])
    needed: dict[str, set[str]] = {}
    for line in package.requires or []:
        requirement, _, extra = line.partition("; extra == ")
        needed.setdefault(extra.strip("\"'"), set()).add(re.split(r"\W", requirement)[0])
    assert needed.pop("worker") == {"torch", "safetensors", "scipy"}
    assert needed.pop("plot") == {"matplotlib"}
    assert "numpy" in needed[""]
    assert not needed[""] & {"torch", "safetensors", "matplotlib"}


def test_another_package_of_our_name_is_named(installed: Path, tmp_path: Path) -> None:
    """Such as supervisord's, where Python finds that first: a sentence with its place, and no traceback."""
    other = tmp_path / "supervisor"
    other.mkdir()
    (other / "__init__.py").write_text("")
    done = tell(installed, tmp_path, "--help", PYTHONPATH=os.pathsep.join([str(tmp_path), ""]))
    assert done.returncode == 3
    assert done.stderr.startswith(f"error: the package `supervisor` of Modyn is found in {tmp_path}, not in ")
    assert "supervisord's package has the same name" in done.stderr
    assert "Traceback" not in done.stderr
