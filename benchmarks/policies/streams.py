"""The streams of the table: two files each, how far apart the grid's models are, and of what else it has models."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

_FOLDER = Path(__file__).parent / "streams"
NAMES = ("elec2", "gas_drift", "babynames", "flights")
_REMEDY = {"flights": "run `.venv/bin/python examples/flights/prepare.py` first"}


class Stream(NamedTuple):
    """Whose policies are compared."""

    name: str
    pipeline: Path  # its models do not depend on earlier triggers, and a share of the rows is held out for `test`
    config: Path
    every: int | str  # of the grid: rows, or event time
    strategies: Sequence[Any] = ()  # of the grid, beside the pipeline's own: choices of the best schedule alone

    def missing(self) -> str | None:
        """Why it is left out: its rows are not there."""
        for dataset in yaml.safe_load(self.config.read_text())["storage"]["datasets"].values():
            place = str(self.config.parent.resolve() / dataset["uri"])
            if "://" not in dataset["uri"] and not glob.glob(place) and not Path(place).exists():
                return _REMEDY.get(self.name, f"there is no {Path(place).resolve()}")
        return None


def shipped(name: str) -> Stream:
    """One of those beside this module."""
    folder = _FOLDER / name
    grid = yaml.safe_load((folder / "grid.yaml").read_text())
    return Stream(name, folder / "pipeline.yaml", folder / "config.yaml", **grid)
