"""Who reads what a command says may leave early: the exit code is the command's all the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from workplace import PROJECT, environment

_NO_READER = "import os, sys; read, write = os.pipe(); os.close(read); {redirect}; {run}"
_RUN = f"os.execv({sys.executable!r}, [{sys.executable!r}, '-m', 'supervisor', *sys.argv[1:]])"


def code_of(redirect: str, *words: str) -> int:
    """The exit code of a command some of whose streams go where nobody reads."""
    code = _NO_READER.format(redirect=redirect, run=_RUN)
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(command, check=False, cwd=PROJECT, env=environment(), timeout=60).returncode


@pytest.mark.parametrize("redirect", ["os.dup2(write, 1)", "os.dup2(write, 1); os.dup2(write, 2)", "os.close(1)"])
@pytest.mark.parametrize("words", [("runs", "CONFIG"), ("runs", "CONFIG", "--json"), ("--help",)])
def test_success_stays_success(tmp_path: Path, redirect: str, words: tuple[str, ...]) -> None:
    """A reader that has had enough, as `| head -3`, or a stream that was closed, is no failure."""
    config = tmp_path / "config.yaml"
    config.write_text("storage: {datasets: {d: {uri: data.csv}}}\n")
    assert code_of(redirect, *(str(config) if word == "CONFIG" else word for word in words)) == 0


@pytest.mark.parametrize("redirect", ["os.dup2(write, 2)", "os.close(2)", "os.close(0); os.close(1); os.close(2)"])
def test_a_mistake_stays_a_mistake(tmp_path: Path, redirect: str) -> None:
    """What is wrong with a file is told by the exit code where nobody reads the sentence."""
    assert code_of(redirect, "runs", str(tmp_path / "absent.yaml")) == 2


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_full_disk_below_standard_output_is_told(tmp_path: Path, options: list[str]) -> None:
    """As what it is, and not as a fault of the program's own."""
    config = tmp_path / "config.yaml"
    config.write_text("storage: {datasets: {d: {uri: data.csv}}}\n")
    command = [sys.executable, "-m", "supervisor", "runs", str(config), *options]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command,
            check=False,
            cwd=PROJECT,
            env=environment(),
            timeout=60,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert "finds no room. Make some" in done.stderr
