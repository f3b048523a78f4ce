"""The packages keep to the shape of the design: who may import whom, read from every module's text and at run time."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from workplace import PROJECT, environment

MAY_IMPORT = {"shared": {"shared"}, "supervisor": {"supervisor", "shared"}, "workers": {"workers", "shared"}}
ROOMS = {
    "supervisor.core": {"core"},
    "supervisor.triggers": {"triggers"},
    "supervisor.results": {"core", "results"},
    "supervisor.system": {"core", "system"},
    "supervisor.run": {"core", "results", "run", "system", "triggers"},
    "supervisor.backtest": {"backtest", "compare", "core", "results", "run", "sweep", "system", "triggers"},
    "supervisor.sweep": {"run", "sweep", "system"},
    "supervisor.compare": {"compare", "core", "results", "run", "system"},
}
PURE = ("supervisor/core", "supervisor/triggers")
OUTSIDE = {"celery", "fsspec", "io", "kombu", "os", "pathlib", "random", "redis", "shutil", "socket", "subprocess"}
OUTSIDE |= {"sys", "tempfile", "threading", "time", "uuid"}


def name_of(file: Path) -> str:
    """A module's name."""
    parts = file.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports() -> dict[str, set[str]]:
    """Module → all that it imports, also within functions; of ours whole modules, of others the top package."""
    files = {name_of(file): file for package in MAY_IMPORT for file in (PROJECT / package).rglob("*.py")}
    found = {}
    for name, file in files.items():
        reached = set()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                reached |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{name} imports relatively"
                for alias in node.names:
                    whole = f"{node.module}.{alias.name}"
                    reached.add(whole if whole in files else str(node.module))
        found[name] = {one if one in files else one.split(".")[0] for one in reached} - {name}
    return found


def loaded_by(module: str) -> set[str]:
    """Top-level packages in memory after a fresh interpreter imported a module."""
    code = f"import {module}, sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, env=environment(), check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_arrows_go_one_way(package: str) -> None:
    """shared is the floor; supervisor and workers stand on it and never know each other, not in a function either."""
    for module, reached in imports().items():
        if module.split(".")[0] == package:
            ours = {one.split(".")[0] for one in reached} & set(MAY_IMPORT)
            assert ours <= MAY_IMPORT[package], f"{module} imports {ours - MAY_IMPORT[package]}"


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_of_the_supervisor_know_those_below(room: str) -> None:
    """As docs/architecture.md lists them."""
    for module, reached in imports().items():
        if f"{module}.".startswith(f"{room}."):
            rooms = {one.split(".")[1] for one in reached if one.startswith("supervisor.")}
            assert rooms <= ROOMS[room], f"{module} imports {rooms - ROOMS[room]}"


@pytest.mark.parametrize("room", ["supervisor.compare.picture", "supervisor.backtest.report.picture"])
def test_pictures_are_made_of_plain_values(room: str) -> None:
    """What draws knows nothing of runs: it is given what `--json` prints."""
    for module, reached in imports().items():
        if module.startswith(room):
            ours = {one for one in reached if one.split(".")[0] == "supervisor"}
            assert all(one.startswith((room, "supervisor.compare.picture")) for one in ours), f"{module} imports {ours}"


def test_there_are_no_circles() -> None:
    """Taking away, again and again, what imports nothing that is left takes away all."""
    left = {module: reached & set(imports()) for module, reached in imports().items()}
    while left:
        free = {module for module, reached in left.items() if not reached & set(left)}
        assert free, f"these import each other: {sorted(left)}"
        left = {module: reached for module, reached in left.items() if module not in free}


def test_no_two_rooms_side_by_side_lean_on_each_other() -> None:
    """Of two folders in one folder at most one imports from the other."""
    arrows = set()
    for module, reached in imports().items():
        for other in reached & set(imports()):
            here, there = module.split(".")[:-1], other.split(".")[:-1]
            apart = next((n for n, (one, two) in enumerate(zip(here, there, strict=False)) if one != two), None)
            if apart is not None:
                arrows.add((".".join(here[: apart + 1]), ".".join(there[: apart + 1])))
    both = sorted({tuple(sorted(arrow)) for arrow in arrows if arrow[::-1] in arrows})
    assert not both, f"each imports from the other: {both}"


def test_decisions_know_no_file_no_clock_and_no_network() -> None:
    """What is decided depends on state and event alone."""
    for module, reached in imports().items():
        if module.replace(".", "/").startswith(PURE):
            assert not reached & OUTSIDE, f"{module} imports {reached & OUTSIDE}"


@pytest.mark.parametrize(
    "module",
    [
        "supervisor",
        "supervisor.backtest.matrix.losses",
        "supervisor.backtest.matrix.window_scores",
        "supervisor.backtest.planning.plan",
        "supervisor.backtest.replaying.on_grid",
        "supervisor.run.session",
        "supervisor.run.start.validation",
        "supervisor.compare.comparison",
    ],
)
def test_the_supervisor_loads_neither_torch_nor_workers(module: str) -> None:
    """The supervisor is light, and knows workers only by messages."""
    assert loaded_by(module).isdisjoint({"torch", "workers", "tensorflow"})


def test_a_workers_main_process_stays_without_torch() -> None:
    """The task module is imported there too; only the child pays for torch."""
    assert "torch" not in loaded_by("workers.process.tasks")


def test_shared_loads_no_torch() -> None:
    """Its metrics import it where they measure."""
    assert loaded_by("shared.config.load").isdisjoint({"supervisor", "workers", "torch"})


@pytest.mark.parametrize(
    "module", ["supervisor.cli.main", "supervisor.compare.plot", "supervisor.backtest.report.plot"]
)
def test_who_draws_nothing_loads_no_matplotlib(module: str) -> None:
    """It takes a second, and need not be installed."""
    assert "matplotlib" not in loaded_by(module)
