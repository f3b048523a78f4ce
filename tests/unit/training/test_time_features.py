"""Trainings that see hour, weekday and month of each row: what they learn, start from, and are loaded as."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from shared.config.pipeline import Component
from shared.errors import ConfigurationError
from tests.unit.training.memory_dataset import MemoryDataset, with_changes
from tests.unit.training.samples import flights, job, model, run, training
from workers.inference import load_model_bytes

HOUR_US = 3_600_000_000
START_US = 1_704_067_200_000_000  # Monday, 2024-01-01
MEAN = 50.0
NUMBERS = {"model": model(num_classes=1)}


def load(rows=600, first=0, features=("hour", "weekday", "month"), **columns):
    """Rows that are 5 hours apart; the label goes with the hour, and falls on Sundays."""
    hours = 5 * np.arange(first, first + rows)
    label = MEAN + 10 * np.sin(2 * np.pi * hours / 24) - 5 * (hours // 24 % 7 == 6)
    times = pa.array(START_US + hours * HOUR_US, pa.timestamp("us"))
    return MemoryDataset(pa.table({"time": times, "label": label, **columns}), time_features=features)


def of_numbers(**changes):
    """A training that estimates the label."""
    of = {"optimizer": Component(name="Adam", config={"lr": 1.0}), "loss": Component(name="MSELoss", config={})}
    return training(**of | {"epochs": 40} | changes)


def error(body, dataset):
    """Mean squared, on all rows."""
    return float(
        np.mean((load_model_bytes(body).predict(dataset.table) - dataset.table.column("label").to_numpy()) ** 2)
    )


def test_a_cycle_is_learned_from_time_alone(tmp_path):
    """A linear model of hour and weekday knows most of what there is; the loaded model asks for the time alone."""
    body = run(job(tmp_path, load(), training=of_numbers(), **NUMBERS)).body
    later = load(first=600)
    assert np.var(later.table.column("label").to_numpy()) > 50
    assert error(body, later) < 5
    loaded = load_model_bytes(body)
    assert loaded.columns == ("time",)
    asked = later.table.select(["time"])
    rows = [loaded.predict(asked.slice(row, 1)) for row in range(20)]
    assert np.allclose(np.concatenate(rows), loaded.predict(asked)[:20], atol=1e-4)


def test_a_month_that_the_first_rows_share_is_not_their_mean(tmp_path):
    """A model of January is as good in July as one that does not see months; with later months it goes on."""
    january, july = load(rows=140), load(rows=140, first=880)
    bodies = [
        run(job(tmp_path / name, load(rows=140, features=features), training=of_numbers(), **NUMBERS))
        for name, features in (("a", ("hour", "weekday")), ("b", ("hour", "weekday", "month")))
    ]
    without, beside = (error(one.body, july) for one in bodies)
    assert beside == pytest.approx(without, rel=0.2)
    assert bodies[1].features.constant == ("month of time",)
    year = load(rows=1_500)
    later = run(job(tmp_path / "c", year, previous=bodies[1].body, training=of_numbers(), **NUMBERS))
    assert (later.features.constant, later.features.scaled) == ((), ("month of time",))
    assert max(error(later.body, one) for one in (january, july)) < 5


def test_growing_categories_move_no_times(tmp_path):
    """What is behind the categories in a row keeps its weights; answers differ as a longer sum is rounded."""
    regions = {name: [name, "B"] * 300 for name in ("A", "C")}
    first, second = (load(region=region) for region in regions.values())
    kinds = {"model": model("mlp", num_classes=1, hidden=[4])}
    before = run(job(tmp_path / "a", first, training=of_numbers(epochs=2, encoder="grow"), **kinds))
    still = of_numbers(encoder="grow", optimizer=Component(name="SGD", config={"lr": 0.0}))
    same = run(job(tmp_path / "b", second, training=still, previous=before.body, **kinds))
    assert same.features.grown == {"region": ("C",)}
    # Another width of the input sums in another order, on some processors.
    assert np.allclose(*(load_model_bytes(one.body).predict(first.table) for one in (before, same)), atol=1e-4)


@pytest.mark.parametrize("features", [None, ("hour", "month")])
def test_a_dataset_must_offer_what_the_first_model_sees_of_time(tmp_path, features):
    """As it must offer its columns."""
    body = run(job(tmp_path / "a", load(x=np.arange(600)), training=of_numbers(epochs=1), **NUMBERS)).body
    absent = "hour, weekday, month" if features is None else "weekday"
    told = rf"reads {absent} of the time in time \(`time_features`\), which dataset flights does not offer as features"
    with pytest.raises(ConfigurationError, match=told):
        run(job(tmp_path / "b", load(features=features, x=np.arange(600)), previous=body, **NUMBERS))
    with pytest.raises(ConfigurationError, match=rf"reads the columns x and {absent} of the time in time"):
        run(job(tmp_path / "c", load(features=features, y=np.arange(600)), previous=body, **NUMBERS))


def test_a_model_takes_times_as_the_dataset_at_hand_writes_them(tmp_path):
    """It goes on from, and is judged on, rows whose timestamps are written in another way."""
    dataset = load()
    body = run(job(tmp_path / "a", dataset, training=of_numbers(), **NUMBERS)).body
    numbers = dataset.table.column("time").cast(pa.int64())
    written = MemoryDataset(dataset.table.set_column(0, "time", numbers), time_features=dataset.config.time_features)
    written.config = with_changes(written.config, unit="us")
    loaded = load_model_bytes(body)
    there = loaded.reading(written.config)
    assert np.array_equal(there.predict(written.table), loaded.predict(dataset.table))
    assert there.encoding != loaded.encoding
    on = [
        run(job(tmp_path / name, one, training=of_numbers(), previous=body, **NUMBERS))
        for name, one in (("b", dataset), ("c", written))
    ]
    answers = [load_model_bytes(one.body).reading(written.config).predict(written.table) for one in on]
    assert np.array_equal(*answers)


def test_models_without_times_are_the_same_bytes_as_ever(tmp_path):
    """Nothing of times stands in them, nor is the timestamp read."""
    body = run(job(tmp_path / "a")).body
    assert b"times" not in body
    assert b"centre" not in body
    assert load_model_bytes(body).columns == ("wind", "delay", "origin")
    assert load_model_bytes(body).reading(flights().config).encoding == load_model_bytes(body).encoding
