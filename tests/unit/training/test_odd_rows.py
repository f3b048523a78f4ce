"""Nulls, late categories and columns that vary late, through whole trainings."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from shared.config.pipeline import Component
from tests.unit.training.memory_dataset import MemoryDataset
from tests.unit.training.samples import job, model, run, training
from workers.inference import load_model_bytes


def some(rows, seed=0):
    """Numbers of which the label can be told."""
    x = np.random.default_rng(seed).normal(size=rows)
    return x, (x > 0).astype(np.int64)


def accuracy(trained, dataset):
    """On all rows."""
    answers = load_model_bytes(trained.body).predict(dataset.table).argmax(axis=1)
    return float((answers == dataset.table.column("label").to_numpy()).mean())


def test_a_training_says_what_it_filled_in(tmp_path):
    """Nulls by column; the indicator is learned from where they tell something."""
    x, label = some(400)
    columns = {"x": pa.array([None if one else 0.0 for one in label], pa.float64()), "y": x * 0, "label": label}
    plain = run(job(tmp_path / "a", MemoryDataset(pa.table(columns)), training=training(epochs=20)))
    assert (plain.features.rows, plain.features.imputed) == (400, {"x": int(label.sum())})
    dataset = MemoryDataset(pa.table(columns), indicator=True)
    assert accuracy(run(job(tmp_path / "b", dataset, training=training(epochs=20))), dataset) == 1.0


def test_a_column_that_varies_late_is_learned(tmp_path):
    """A column that was constant in the first training set is as useful as to a model that is trained afresh."""
    x, label = some(400)
    first = MemoryDataset(pa.table({"x": np.ones(400), "z": np.full(400, 5.0), "label": label}))
    later = MemoryDataset(pa.table({"x": np.ones(400), "z": 50_000 + 10_000 * x, "label": label}))
    before = run(job(tmp_path / "a", first, training=training(epochs=20)))
    after = run(job(tmp_path / "b", later, previous=before.body, training=training(epochs=20)))
    fresh = run(job(tmp_path / "c", later, training=training(epochs=20)))
    assert after.features.scaled == ("z",)
    assert accuracy(after, later) == pytest.approx(accuracy(fresh, later), abs=0.02)
    again = run(job(tmp_path / "d", later, previous=after.body))
    assert (again.features.scaled, again.features.moved) == ((), {})


@pytest.mark.parametrize("kind", [model("logistic"), model("mlp", hidden=[3, 2])])
def test_categories_that_come_late_are_learned_where_the_encoder_grows(tmp_path, kind):
    """As well as by a model that is trained afresh; an epoch without a step of its own leaves all predictions."""
    label = np.array([0, 1, 1] * 100)
    first = MemoryDataset(pa.table({"region": ["A", "B", "B"] * 100, "x": label * 1.0, "label": label}))
    later = MemoryDataset(pa.table({"region": ["A", "B", "C"] * 100, "x": label * 0.0, "label": label}))
    grows = training(epochs=30, encoder="grow")
    before = run(job(tmp_path / "a", first, model=kind, training=grows))
    after = run(job(tmp_path / "b", later, model=kind, previous=before.body, training=grows))
    assert after.features.grown == {"region": ("C",)}
    assert after.features.unknown == {}
    assert accuracy(after, later) == 1.0
    again = run(job(tmp_path / "c", first, model=kind, previous=after.body, training=grows))
    assert again.features.grown == {}
    still = training(encoder="grow", optimizer=Component(name="SGD", config={"lr": 0.0}))
    same = run(job(tmp_path / "d", later, model=kind, previous=before.body, training=still))
    predicted = [load_model_bytes(one.body).predict(first.table) for one in (before, same)]
    assert np.array_equal(*predicted)


def test_a_training_says_which_categories_it_does_not_know(tmp_path):
    """Those of a later training set, while it goes on from a model that never saw them."""
    label = [0, 1] * 50
    first = MemoryDataset(pa.table({"region": ["A", "B"] * 50, "label": label}))
    later = MemoryDataset(pa.table({"region": ["A", "C", "B", "D", "C"] * 20, "label": label}))
    before = run(job(tmp_path / "a", first))
    assert before.features.unknown == {}
    (unknown,) = run(job(tmp_path / "b", later, previous=before.body)).features.unknown.items()
    assert unknown[0] == "region"
    assert (unknown[1].rows, unknown[1].commonest) == (60, {"C": 40, "D": 20})
    assert run(job(tmp_path / "c", later)).features.unknown == {}
