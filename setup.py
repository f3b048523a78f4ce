"""Gives pip the dependencies that stand in requirements.txt and requirements-dev.txt, and nowhere else."""

import re
from pathlib import Path

from setuptools import setup

_HEADING = re.compile(r"# \[(\w+)\]")  # begins the heading of what an extra of that name has


def lines_of(file: str) -> list[str]:
    """The lines of a file beside this one."""
    return (Path(__file__).parent / file).read_text(encoding="utf-8").splitlines()


def requirements(lines: list[str]) -> list[str]:
    """The requirements among these lines, without what is said of them."""
    told = (line.partition("#")[0].strip() for line in lines)
    return [one for one in told if one]


def by_heading(lines: list[str]) -> dict[str, list[str]]:
    """The lines above the first heading, by an empty name, and those below each, by its name."""
    name = ""
    found: dict[str, list[str]] = {name: []}
    for line in lines:
        heading = _HEADING.match(line)
        if heading:
            name = heading[1]
            found[name] = []
        found[name].append(line)
    return found


every = {name: requirements(lines) for name, lines in by_heading(lines_of("requirements.txt")).items()}
setup(install_requires=every.pop(""), extras_require={**every, "dev": requirements(lines_of("requirements-dev.txt"))})
