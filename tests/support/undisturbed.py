"""Runs in which something can happen, and how they must end: as if nothing had."""

from __future__ import annotations

from pathlib import Path

from workplace import Workplace

SLOW_LEASE_S = 2.0
_COMPARED = ["evaluations.csv", *(f"models/{trigger}/model.safetensors" for trigger in range(4))]


def slow(workplace: Workplace) -> Workplace:
    """Trainings that take a second, with checkpoints and a short lease: something can happen in their middle."""
    workplace.pipeline["training"] |= {"epochs": 300, "batch_size": 16, "checkpoint_every_s": 0.1}
    workplace.config["lease"] = f"{SLOW_LEASE_S:g}s"
    return workplace


def assert_as_undisturbed(run_dir: Path, undisturbed: Workplace) -> None:
    """The same scores and weights, to the byte."""
    for file in _COMPARED:
        assert (run_dir / file).read_bytes() == (undisturbed.run_dir / file).read_bytes(), file
