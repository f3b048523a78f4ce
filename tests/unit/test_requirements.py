"""The requirement files, from which pip's package has its dependencies, name what our code imports."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

from workplace import PROJECT

_OURS = {"celeryconfig", "shared", "supervisor", "workers"}
_HEADINGS = ["# [worker]", "# [plot]", "# [river]"]


def named(text: str) -> set[str]:
    """The packages that lines of a requirement file name."""
    return {match[0].lower() for line in text.splitlines() if (match := re.match(r"[\w-]+", line))}


def imported(*folders: str) -> set[str]:
    """The distributions that bring what the modules of these folders import, also within functions."""
    found: set[str] = set()
    for file in (file for folder in folders for file in (PROJECT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
    brought_by = packages_distributions()
    return {brought_by[name][0].lower() for name in found - _OURS - set(sys.stdlib_module_names)}


def test_each_import_is_named() -> None:
    """What all need before the first heading; below a heading what only the workers, pictures, or streams need."""
    both, workers, pictures, streams = sections()
    assert imported("shared", "supervisor") <= named(both) | named(pictures)
    assert imported("workers") <= named(both) | named(workers) | named(streams)
    assert imported("shared", "supervisor") & (named(workers) | named(streams)) == set()
    assert imported("shared", "workers") & named(pictures) == set()


def sections() -> list[str]:
    """What stands above, between and below the headings, which are there in this order."""
    text = Path(PROJECT / "requirements.txt").read_text(encoding="utf-8")
    found = re.split(r"^(# \[\w+\])", text, flags=re.MULTILINE)
    assert found[1::2] == _HEADINGS
    return found[::2]


def test_what_only_tests_need_stands_apart() -> None:
    """Whoever runs Modyn installs no test runner."""
    development = named((PROJECT / "requirements-dev.txt").read_text(encoding="utf-8"))
    assert "pytest" in development
    assert not development & named((PROJECT / "requirements.txt").read_text(encoding="utf-8"))
