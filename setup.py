"""Gives pip the dependencies that stand in requirements.txt and requirements-dev.txt, and nowhere else."""

from pathlib import Path

from setuptools import setup

_WORKERS = "# [worker]"  # begins the heading of what only workers need


def lines_of(file: str) -> list[str]:
    """The lines of a file beside this one."""
    return (Path(__file__).parent / file).read_text(encoding="utf-8").splitlines()


def requirements(lines: list[str]) -> list[str]:
    """The requirements among these lines, without what is said of them."""
    told = (line.partition("#")[0].strip() for line in lines)
    return [one for one in told if one]


every = lines_of("requirements.txt")
heading = next(number for number, line in enumerate(every) if line.startswith(_WORKERS))
setup(
    install_requires=requirements(every[:heading]),
    extras_require={"worker": requirements(every[heading:]), "dev": requirements(lines_of("requirements-dev.txt"))},
)
