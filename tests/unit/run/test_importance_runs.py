"""Runs that train on what the current model has still to learn, in one process."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from kinds_of_labels import in_a_table, in_rows
from one_process import OneProcess
from workplace import Workplace

from shared.messages.tasks import SelectTask
from shared.split import rows_in_split
from shared.strategies.state import read_state
from tests.support.written_set import WrittenSet, read_set
from workers.inference import load_model, load_model_bytes

EVERY = 500  # 2,000 rows: 4 triggers
SPLIT = {"test": 0.2, "validation": 0.1}


def choosing(small: Workplace, name: str, **options: Any) -> Workplace:
    """The workplace, whose strategy chooses a quarter of the new rows."""
    small.pipeline["strategy"] = {"name": name, "fraction": 0.25, **options}
    small.pipeline["data"]["split"] = dict(SPLIT)
    small.pipeline["evaluation"]["on"] = []
    small.pipeline.pop("deployment", None)
    return small


def whole(small: Workplace, seed: int = 0, risk: float = 0.0) -> tuple[list[WrittenSet], list[Any], OneProcess]:
    """A run to its end: its sets, and what is kept."""
    run = OneProcess(small, random.Random(seed), risk=risk)
    run.begin()
    summary = run.to_its_end()
    assert summary["status"] == "finished"
    sets = sorted((small.run_dir / "training_sets").glob("[0-9]*.parquet"))
    states = small.run_dir / "selection_states"
    kept = [read_state(one.read_bytes()) for one in sorted(states.iterdir())] if states.exists() else []
    return [read_set(one.read_bytes()) for one in sets], kept, run


def split_of(first: int, stop: int, name: str) -> np.ndarray:
    """The rows of a split."""
    keys = np.arange(first, stop)
    return keys[rows_in_split(keys.view(np.uint64), name, **SPLIT)]


def losses(small: Workplace, model: Any, keys: np.ndarray) -> np.ndarray:
    """Of a model, by its probabilities."""
    rows = small_rows(small)
    p = model.predict(rows.take(keys)).astype(np.float64)
    return -np.log(p[np.arange(len(keys)), rows["label"].to_numpy()[keys]])


def small_rows(small: Workplace) -> Any:
    """All of them."""
    return pq.read_table(small.folder / "data")


@pytest.mark.parametrize("name", ["loss", "margin"])
def test_the_rows_of_each_trigger_are_chosen_by_the_model_before_it(small: Workplace, name: str) -> None:
    """The first are drawn at random, as nobody knows anything yet."""
    sets, kept, run = whole(choosing(small, name))
    assert kept == []
    tasks = [task for task, _ in run.done if isinstance(task, SelectTask)]
    assert [task.model and task.model.trigger_id for task in tasks] == [None, 0, 1, 2]
    assert set(sets[0].weights.tolist()) == {1.0}
    for number, one in enumerate(sets):
        rows = split_of(number * EVERY, (number + 1) * EVERY, "train")
        assert set(one.keys.tolist()) <= set(rows.tolist())
        assert len(one.keys) == round(len(rows) / 4)
        if number == 0:
            continue
        model = load_model(str(small.run_dir / f"models/{number - 1}"))
        if name == "loss":  # the weight says with which chance
            found = losses(small, model, rows)
            chance = 0.9 * found / found.sum() + 0.1 / len(rows)
            expected = 1 / (len(rows) * chance[np.searchsorted(rows, one.keys)])
            assert one.weights == pytest.approx(expected, rel=1e-3)
            assert len(np.unique(one.keys)) < len(one.keys)
        else:
            sure = model.predict(small_rows(small).take(rows)).max(axis=1)
            assert sorted(sure[np.searchsorted(rows, one.keys)]) == sorted(sure)[: len(one.keys)]


@pytest.mark.parametrize(("name", "how"), [("loss", "proportional"), ("margin", "largest")])
def test_in_batches_all_rows_are_trained_on_by_a_rule(small: Workplace, name: str, how: str) -> None:
    """That stands in each set, and that trainings can follow to the run's end."""
    sets, kept, _ = whole(choosing(small, name, mode="batch_then_sample"))
    assert kept == []
    for number, one in enumerate(sets):
        assert one.keys.tolist() == split_of(number * EVERY, (number + 1) * EVERY, "train").tolist()
        assert one.origin.rule is not None
        assert one.origin.rule.name == "batch_then_sample"
        assert (one.origin.rule.options["measure"], one.origin.rule.options["how"]) == (name, how)


def test_a_holdout_model_of_the_validation_rows(small: Workplace) -> None:
    """Is trained once, on those known at the second trigger, kept, and the same whoever is killed."""
    sets, kept, _ = whole(choosing(small, "rho_loss", holdout="validation"))
    assert len(kept) == 2
    assert kept[0] == kept[1]
    holdout = load_model_bytes(kept[0]["holdout"])
    for number in (1, 2, 3):
        rows = split_of(number * EVERY, (number + 1) * EVERY, "train")
        current = load_model(str(small.run_dir / f"models/{number - 1}"))
        found = losses(small, current, rows) - losses(small, holdout, rows)
        chosen = np.isin(rows, sets[number].keys)
        assert chosen.sum() == round(len(rows) / 4)
        assert found[chosen].min() >= found[~chosen].max() - 1e-5
    small.run_dir.rename(small.folder / "whole")
    again, kept_again, killed = whole(small, seed=1, risk=0.1)
    assert killed.kills
    assert kept_again == kept
    assert [(one.keys.tolist(), one.weights.tolist()) for one in again] == [
        (one.keys.tolist(), one.weights.tolist()) for one in sets
    ]


def test_a_holdout_model_that_is_there(small: Workplace) -> None:
    """By a path beside pipeline.yaml."""
    whole(small)
    made = next((small.run_dir / "models/3").glob("*.safetensors"))
    made.rename(small.folder / "holdout.safetensors")
    small.run_dir.rename(small.folder / "before")
    sets, kept, _ = whole(choosing(small, "rho_loss", holdout="holdout.safetensors", of="all"))
    assert kept == []
    rows = split_of(0, 4 * EVERY, "train")
    holdout = load_model_bytes((small.folder / "holdout.safetensors").read_bytes())
    found = losses(small, load_model(str(small.run_dir / "models/2")), rows) - losses(small, holdout, rows)
    chosen = np.isin(rows, sets[3].keys)
    assert found[chosen].min() >= found[~chosen].max() - 1e-5


@pytest.mark.parametrize(("place", "name"), [(in_rows, "loss"), (in_a_table, "rho_loss")])
def test_a_class_that_the_model_has_not_heard_of_is_what_there_is_to_learn(
    tmp_path: Path, place: Any, name: str
) -> None:
    """Labels are texts, the third one first stands at key 350: models before it score it all the same."""
    small = choosing(place(tmp_path / "late", "texts"), name)
    small.pipeline["strategy"] |= {"how": "largest"} if name == "loss" else {"holdout": "validation"}
    sets, kept, _ = whole(small)
    first = next(one.keys for one in sets if one.keys.max() >= 360)
    new = (first >= 350) & (first % 5 == 0)
    assert len(kept) == (0 if name == "loss" else 2)
    assert new.sum() > (len(first) / 2 if name == "loss" else 1)
