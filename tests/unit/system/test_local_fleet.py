"""What the workers that a supervisor starts itself are started for."""

from __future__ import annotations

from supervisor.system.local_fleet import device_of


def test_the_device_of_a_fleet_is_that_of_its_train_workers() -> None:
    """Evaluate workers take a GPU where there is one, and do without where there is none; `cpu` means all."""
    asked = ("auto", "cpu", "cuda")
    assert [device_of("train", wanted) for wanted in asked] == ["auto", "cpu", "cuda"]
    assert [device_of("evaluate", wanted) for wanted in asked] == ["auto", "cpu", "auto"]
