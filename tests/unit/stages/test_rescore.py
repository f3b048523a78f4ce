"""A window that is scored anew has the scores of the run where no row is missing, and else those of its rows alone."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kinds_of_labels import KINDS, in_a_table, in_rows
from one_process import OneProcess
from rescoring import answered, cut, requests
from workplace import HOUR_US, Workplace

from shared.config.pipeline import Split
from shared.messages.rescore import Mask
from shared.split import rows_in_split
from workers.inference import load_model


def done(small: Workplace, **settings: Any) -> OneProcess:
    """A run that is over."""
    run = OneProcess(small, random.Random(5), **settings)
    run.start()
    run.to_its_end()
    return run


def of_test_rows(small: Workplace) -> Workplace:
    """Windows of which one split is scored."""
    small.pipeline["evaluation"]["on"][0]["split"] = "test"
    return small


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("where", ["with rows", "delayed", "in a table"])
def test_a_whole_window_has_the_scores_of_the_run(tmp_path: Path, kind: str, where: str) -> None:
    """To the last bit: of its model, of the first one, and of what needs none."""
    folder = tmp_path / "a"
    if where == "in a table":
        small = in_a_table(folder, kind)
    else:
        small = in_rows(folder, kind, **({"label_delay": "7d"} if where == "delayed" else {}))
    run = done(of_test_rows(small))
    asked = requests(run)
    found = answered(run, [wanted for wanted, _ in asked], tmp_path / "index")
    assert len(found) > 4
    for (wanted, expected), answer in zip(asked, found, strict=True):
        assert (answer.error, answer.trigger_id) == (None, wanted.trigger_id)
        assert answer.scores == expected
        assert answer.scores.keys() == {f"model {one.trigger_id}" for one in wanted.models} | {"majority", "no_change"}


def untidy(folder: Path) -> tuple[Workplace, pa.Table]:
    """Rows of which every seventh is dated two days before the one that it follows."""
    small = in_rows(folder, "classes")
    file = folder / "data" / "rows.parquet"
    rows = pq.read_table(file)
    keys = np.arange(rows.num_rows)
    moments = pa.array((keys - 48 * (keys % 7 == 0)) * HOUR_US + 10**15, pa.timestamp("us", tz="UTC"))
    rows = rows.set_column(0, "timestamp", moments)
    pq.write_table(rows, file)
    return small, rows


MASKS = [
    Mask(name="train", split=Split(test=0.2, validation=0.0, by=None)),
    Mask(name="validation", split=Split(test=0.1, validation=0.6, by=None)),
]


@pytest.mark.parametrize(
    ("ranges", "masks"),
    [([(20, 50)], []), ([(0, 10), (30, 30), (60, 89)], []), ([(0, 40), (50, 80)], MASKS), ([(7, 89)], MASKS[:1])],
)
def test_a_part_of_a_window_has_the_scores_of_its_rows(
    tmp_path: Path, ranges: list[tuple[int, int]], masks: list[Mask]
) -> None:
    """As a loop over the rows finds them with the stored models; `ranges` count from the window's first row."""
    small, rows = untidy(tmp_path / "a")
    run = done(small)
    wanted, _ = requests(run)[3]
    first = wanted.trigger_key + 1
    asked = cut(wanted, *((first + one, first + other) for one, other in ranges), masks=masks)
    (answer,) = answered(run, [asked], tmp_path / "index")
    keys = np.concatenate([np.arange(one.first_key, one.last_key + 1) for one in asked.ranges])
    counts = np.ones(len(keys), bool)
    for mask in masks:
        test, validation = mask.split.test, mask.split.validation
        counts &= rows_in_split(keys.astype(np.uint64), mask.name or "train", test=test, validation=validation)
    labels = rows["label"].to_numpy()
    found = {name: {one.metric: (one.value, one.n) for one in of} for name, of in answer.scores.items()}
    for name in found:
        guesses = _guesses(name, small, rows, labels, keys[counts])
        right = np.mean(np.argmax(guesses, axis=1) == labels[keys[counts]])
        likely = np.clip(guesses[np.arange(len(guesses)), labels[keys[counts]]], 1e-7, 1 - 1e-7)
        assert found[name]["accuracy"] == (pytest.approx(right, abs=1e-12), int(counts.sum()))
        assert found[name]["log_loss"] == (pytest.approx(-np.mean(np.log(likely)), abs=1e-9), int(counts.sum()))
    assert set(found) == {"model 0", "model 3", "majority", "no_change"}
    event_times = np.maximum.accumulate(rows["timestamp"].cast(pa.int64()).to_numpy())
    score = answer.scores["model 3"][0]
    times = (score.first_timestamp_us, score.last_timestamp_us)
    assert times == (event_times[keys[0]], event_times[keys[-1]])


def _guesses(name: str, small: Workplace, rows: pa.Table, labels: Any, keys: Any) -> Any:
    """Probabilities of the classes of some rows, (rows, 3)."""
    if name.startswith("model"):
        model = load_model(str(small.run_dir / "models" / name.split()[1]))
        return model.predict(rows.take(pa.array(keys))).astype(np.float64)
    if name == "no_change":
        return np.eye(3)[labels[keys - 1]]
    return np.array([np.bincount(labels[:key], minlength=3) / key for key in keys])


def test_ranges_and_windows_do_not_know_each_other(tmp_path: Path) -> None:
    """One process is asked for windows of one run in any order; texts are the same classes in each."""
    run = done(in_rows(tmp_path / "a", "texts"))
    wanted = [one for one, _ in requests(run)]
    parts = [cut(one, (one.trigger_key + 3, one.trigger_key + 40)) for one in wanted]
    there = answered(run, parts, tmp_path / "index")
    back = answered(run, parts[::-1] + wanted, tmp_path / "index")
    assert back[: len(parts)] == there[::-1]
    assert back[len(parts) :] == answered(run, wanted, tmp_path / "index")


def _damage(file: Path) -> None:
    body = bytearray(file.read_bytes())
    body[-1] ^= 1
    file.write_bytes(body)


@pytest.mark.parametrize(
    ("what", "spoil", "said"),
    [
        ("run/models/2/model.safetensors", Path.unlink, "model.safetensors is not there"),
        ("run/models/2/model.safetensors", _damage, "model.safetensors is not what was recorded"),
        ("data/rows.parquet", Path.unlink, "rows.parquet"),
        ("runs/datasets/rows.jsonl", Path.unlink, "rows.jsonl is not there"),
    ],
)
def test_what_is_lost_is_said_of_run_and_trigger(tmp_path: Path, what: str, spoil: Any, said: str) -> None:
    """A sentence for people; other windows are answered."""
    small = in_rows(tmp_path / "a", "classes")
    run = done(small)
    wanted = [one for one, _ in requests(run)]
    spoil(small.folder / what)
    (error,) = (one.error for one in answered(run, wanted[2:3], tmp_path / "index"))
    assert error.startswith(f"{small.run_dir}: the window of trigger 2 cannot be evaluated anew: ")
    assert said in error
    assert "--resume" not in error or what.startswith("runs")
    if "models" in what:
        (other,) = answered(run, wanted[1:2], tmp_path / "index")
        assert other.error is None
