"""What tests of the command line share."""

from __future__ import annotations

import pytest
from workplace import Workplace

from supervisor.sweep.combinations import combinations
from supervisor.sweep.place import Place, Wanted
from supervisor.sweep.planned import planned
from supervisor.sweep.sweep import Sweep
from supervisor.sweep.values import swept


@pytest.fixture
def sweep(small: Workplace) -> Sweep:
    """Of two runs, which nobody starts."""
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    runs = planned(*files, combinations([swept("training.seed=1,2")]))
    return Sweep(runs, Place.at(small.folder / "sweep"), Wanted(set=()), files)
