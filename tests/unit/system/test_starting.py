"""What a run says that it starts."""

from __future__ import annotations

import msgspec
import pytest
from workplace import Workplace

from shared.config.load import load_system
from shared.config.system import Broker, Fleet, System
from supervisor.system.starting import what_is_started


@pytest.fixture
def system(small: Workplace) -> System:
    """config.yaml of the small workplace: everything is its own."""
    small.write()
    return load_system(small.folder / "config.yaml")


def test_only_what_is_started_is_said_to_be(system: System) -> None:
    """Broker and workers that are there are looked for, and those of our own are counted."""
    theirs = Broker(url="redis://host/0", masked_url="redis://host/0")
    none, two = Fleet(train=0, evaluate=0, device="cpu"), Fleet(train=2, evaluate=1, device="cpu")
    assert what_is_started(system) == "starting the embedded broker, 1 train worker and 1 evaluate worker"
    elsewhere = msgspec.structs.replace(system, broker=theirs, fleet=none)
    assert what_is_started(elsewhere) == "looking for the broker redis://host/0 and its workers"
    own_workers = msgspec.structs.replace(system, broker=theirs, fleet=two)
    assert what_is_started(own_workers) == (
        "starting 2 train workers and 1 evaluate worker on the broker redis://host/0"
    )
