"""`./modyn-supervisor`, and whose packages and settings it finds where it is called."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from workplace import PROJECT, environment

from shared.version import VERSION

_NAMES = ("celeryconfig", "shared", "supervisor", "workers")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """The folder of another project, whose packages have our names."""
    folder = tmp_path / "elsewhere"
    for name in _NAMES:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("raise RuntimeError('of another project')")
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The launcher with our packages beside it; its environment is the one that runs the tests."""
    folder = tmp_path / "checkout"
    (folder / "tools").mkdir(parents=True)
    shutil.copy(PROJECT / "modyn-supervisor", folder)
    (folder / "tools" / "make-venv").write_text("#!/bin/sh\n")
    (folder / "tools" / "make-venv").chmod(0o755)
    for name in ("celeryconfig.py", "shared", "supervisor", "workers"):
        (folder / name).symlink_to(PROJECT / name)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def test_the_launcher_finds_its_own_packages_wherever_it_is_called(checkout: Path, elsewhere: Path) -> None:
    """Also by a link to it, such as one in a folder of PATH."""
    (elsewhere / "linked").symlink_to(checkout / "modyn-supervisor")
    alone = {name: value for name, value in environment().items() if name != "PYTHONPATH"}
    for launcher in (checkout / "modyn-supervisor", elsewhere / "linked"):
        done = subprocess.run(
            [launcher, "--version"], check=False, capture_output=True, text=True, timeout=60, cwd=elsewhere, env=alone
        )
        assert (done.returncode, done.stdout) == (0, f"modyn-supervisor {VERSION}\n"), done.stderr


def test_celery_is_set_up_by_our_celeryconfig_wherever_we_are_called(elsewhere: Path) -> None:
    """Celery itself looks in the current folder first, where another project may keep its own."""
    (elsewhere / "celeryconfig.py").write_text("task_serializer = 'pickle'")
    shutil.rmtree(elsewhere / "celeryconfig")
    asked = "from shared.broker import make_app; print(make_app('redis+socket:///r.sock').conf.task_serializer)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", asked],
        check=False, capture_output=True, text=True, timeout=60, cwd=elsewhere, env=environment(),
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "json\n"), done.stderr
