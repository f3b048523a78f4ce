"""Runs that train on coresets, in one process: sets are those of the public functions on what the last model sees."""

from __future__ import annotations

import random
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from late_stories import LateStory
from one_process import OneProcess
from safetensors.torch import load_file
from workplace import HOUR_US, Workplace

from shared.split import rows_in_split
from tests.support.written_set import WrittenSet, read_set
from workers.selection.coreset import craig, grad_match

CLASSES, EVERY, ROWS, K = 10, 500, 2_000, 60


def drifting() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Points (rows, 4) around ten centers that move, and which center; the last one comes late."""
    dice = np.random.default_rng(5)
    of = dice.integers(0, CLASSES, ROWS)
    of[:700][of[:700] == CLASSES - 1] = 0
    centers = dice.normal(size=(CLASSES, 4)) * 2
    return centers[of] * (1 + np.arange(ROWS)[:, None] / 3_000) + dice.normal(size=(ROWS, 4)), of


def by_coreset(small: Workplace, **strategy: Any) -> Workplace:
    """The workplace, with ten classes of names."""
    points, of = drifting()
    keys = np.arange(ROWS)
    rows = {"timestamp": pa.array(keys * HOUR_US, pa.timestamp("us", tz="UTC"))}
    rows |= {f"x{number}": points[:, number] for number in range(4)}
    for old in (small.folder / "data").iterdir():
        old.unlink()
    pq.write_table(pa.table(rows | {"label": [f"c{one}" for one in of]}), small.folder / "data" / "part-0.parquet")
    small.pipeline["model"]["config"]["num_classes"] = CLASSES
    small.pipeline["strategy"] = {"limit": K, **strategy}
    small.pipeline["evaluation"] |= {"metrics": ["accuracy"], "on": []}
    small.pipeline.pop("deployment", None)
    return small


def sets(small: Workplace, dice: int = 0, risk: float = 0.0) -> list[WrittenSet]:
    """Of a run, trigger after trigger."""
    run = OneProcess(small, random.Random(dice), risk=risk)
    run.begin()
    assert run.to_its_end()["status"] == "finished"
    return [read_set((small.run_dir / f"training_sets/{number}.parquet").read_bytes()) for number in range(4)]


def new_at(trigger: int) -> npt.NDArray[np.int64]:
    """Keys of the train split."""
    keys = np.arange(trigger * EVERY, (trigger + 1) * EVERY)
    return keys[rows_in_split(keys.view(np.uint64), "train", test=0.2, validation=0.0)]


def gradients(run_dir: Path, trigger: int, keys: npt.NDArray[np.int64]) -> torch.Tensor:
    """Of each row's loss by the weights of a model, made of its file alone: (p − y) ⊗ x, (n, 40)."""
    model = load_file(run_dir / f"models/{trigger}/model.safetensors")
    points, of = drifting()
    scaled = ((torch.from_numpy(points[keys]) - model["features.mean"]) / model["features.std"]).float()
    logits = torch.nn.functional.linear(scaled, model["model.linear.weight"], model["model.linear.bias"]).double()
    apart = logits.softmax(dim=1) - torch.eye(CLASSES)[of[keys]]
    return (apart[:, :, None] * scaled.double()[:, None]).reshape(len(keys), -1).float()


def expected(name: str, found: torch.Tensor) -> tuple[list[int], list[float]]:
    """Places and weights of lines, as design.md has them."""
    if name == "craig":
        picked, weights = craig(found, K)
        lines = weights * len(picked) / len(found)
    else:
        mean = found.double().mean(dim=0).float()
        picked, weights = grad_match(found, mean, K, 0.01 * float(found.double().square().sum(dim=1).mean()))
        lines = weights * len(picked)
    order = picked.argsort()
    return picked[order].tolist(), lines[order].tolist()


@pytest.mark.parametrize("name", ["craig", "grad_match"])
def test_sets_are_those_of_the_public_function(small: Workplace, name: str) -> None:
    """Of the gradients of the model before, rows of every class; its weighted mean is nearer to that of all rows than
    random rows' is. The first set, which no model came before, is drawn.
    """
    found = sets(by_coreset(small, name=name))
    assert (len(found[0].keys), set(found[0].weights.tolist())) == (K, {1.0})
    for trigger in range(1, 4):
        keys = new_at(trigger)
        rows = gradients(small.run_dir, trigger - 1, keys)
        places, weights = expected(name, rows)
        written = found[trigger]
        assert written.keys.tolist() == keys[places].tolist()
        assert written.weights.tolist() == pytest.approx(weights, rel=1e-3)
        assert set(drifting()[1][written.keys].tolist()) == set(range(CLASSES))
        mean = rows.mean(dim=0)
        lines = torch.from_numpy(written.weights.copy())[:, None] * rows[np.searchsorted(keys, written.keys)]
        draws = [np.random.default_rng(seed).permutation(len(keys))[:K] for seed in range(20)]
        by_chance = median(float((rows[draw].mean(dim=0) - mean).norm()) for draw in draws)
        assert float((lines.mean(dim=0) - mean).norm()) < by_chance / 2


def test_sets_are_the_same_whoever_is_killed(small: Workplace) -> None:
    """In whatever order tasks are done; a class that the model has not met is chosen from as well."""
    told = []
    for dice, risk in ((0, 0.0), (1, 0.1)):
        found = sets(by_coreset(small, name="k_center", space="gradient", per_class=True), dice, risk)
        told.append([(one.keys.tolist(), one.weights.tolist()) for one in found])
        small.run_dir.rename(small.folder / f"run-{dice}")
    assert told[0] == told[1]
    shares = [np.bincount(drifting()[1][keys], minlength=CLASSES).tolist() for keys, _ in told[0]]
    assert shares[1:] == [[6] * CLASSES] * 3


def test_labels_in_a_table_of_their_own(small: Workplace) -> None:
    """Gradients go by the labels that are known at the trigger, whoever is killed."""
    story, told = LateStory(1, numbers=False), []
    story.write(story.prepare(small))
    small.pipeline["model"] = {"id": "mlp", "config": {"hidden": [3], "num_classes": 3}}
    small.pipeline["strategy"] = {"name": "craig", "of": "all", "limit": 9}
    for dice, risk in ((0, 0.0), (1, 0.1)):
        run = OneProcess(small, random.Random(dice), risk=risk)
        run.begin()
        run.to_its_end()
        found = [read_set(one.read_bytes()) for one in sorted((small.run_dir / "training_sets").glob("[0-9]*"))]
        told.append([(one.keys.tolist(), one.weights.tolist()) for one in found])
        small.run_dir.rename(small.folder / f"run-{dice}")
    assert told[0] == told[1]
    assert any(len(set(weights)) > 1 for _, weights in told[0])
