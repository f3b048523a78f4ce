"""The packages keep to the shape of the design."""

from __future__ import annotations

import subprocess
import sys

import pytest
from workplace import PROJECT, environment


def loaded_by(module: str) -> set[str]:
    """Top-level packages in memory after a fresh interpreter imported a module."""
    code = f"import {module}, sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, env=environment(), check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["supervisor", "supervisor.run.session", "supervisor.run.start.validation"])
def test_the_supervisor_loads_neither_torch_nor_workers(module: str) -> None:
    """The supervisor is light, and knows workers only by messages."""
    assert loaded_by(module).isdisjoint({"torch", "workers", "tensorflow"})


def test_a_workers_main_process_stays_without_torch() -> None:
    """The task module is imported there too; only the child pays for torch."""
    assert "torch" not in loaded_by("workers.process.tasks")


def test_shared_imports_nothing_of_ours() -> None:
    """shared is the floor of the house."""
    assert loaded_by("shared.config.load").isdisjoint({"supervisor", "workers", "torch"})
