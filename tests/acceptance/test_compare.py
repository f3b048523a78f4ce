"""Runs compared from the command line: scores are those of the stored models on the rows that all runs scored."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from workplace import Workplace

from workers.inference import load_model

CLOSE = 1e-9
EVERY = {"often": 400, "seldom": 700}  # 2,000 rows: windows from 400 and from 700 on


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, fleet_url: str) -> Workplace:
    """Two runs of one pipeline that differ in `trigger.every`."""
    found = Workplace.small(tmp_path_factory.mktemp("compared")).use_fleet(fleet_url)
    found.pipeline["evaluation"] = {"metrics": ["accuracy", "log_loss", "auroc"]}
    del found.pipeline["deployment"]
    for name, every in EVERY.items():
        found.pipeline["trigger"]["every"] = every
        done = found.run("--experiment-mode", run_dir=f"runs/{name}")
        assert done.returncode == 0, done.stderr
    return found


def compared(place: Workplace, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What the command says."""
    return place.tell("compare", *arguments)


@pytest.fixture(scope="module")
def content(place: Workplace) -> dict[str, Any]:
    """What `--json` prints of both runs."""
    done = compared(place, "runs/often", "runs/seldom", "--json")
    assert done.returncode == 0, done.stderr
    assert "evaluated anew: 1 of 1 window." in done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def rows(place: Workplace) -> pa.Table:
    """All rows, in the order of their keys."""
    return pq.read_table(sorted((place.folder / "data").glob("*.parquet")))


def of_model(run: Path, trigger: int, rows: pa.Table, keys: range) -> dict[str, float]:
    """What a stored model scores on some rows."""
    piece = rows.slice(keys.start, len(keys))
    outputs = load_model(str(run / f"models/{trigger}")).predict(piece).astype(np.float64)
    return measured(outputs, piece["label"].to_numpy())


def measured(outputs: Any, labels: Any) -> dict[str, float]:
    """The metrics of probabilities (rows, 2), from their definitions."""
    right = np.clip(outputs[np.arange(len(labels)), labels], 1e-7, 1 - 1e-7)
    ones, zeros = outputs[labels == 1, 1], outputs[labels == 0, 1]
    above = (ones[:, None] > zeros).mean() + 0.5 * (ones[:, None] == zeros).mean()
    return {
        "accuracy": float(np.mean(outputs.argmax(axis=1) == labels)),
        "log_loss": float(np.mean(-np.log(right))),
        "auroc": float(above),
    }


def guesses(labels: Any, keys: range) -> dict[str, Any]:
    """What majority and no change say of some rows: class frequencies before each, and the label before each."""
    certain = np.eye(2)[labels]
    before = (np.cumsum(certain, axis=0) - certain)[keys.start : keys.stop]
    return {
        "majority": before / before.sum(axis=1, keepdims=True),
        "no_change": certain[keys.start - 1 : keys.stop - 1],
    }


def windows_of(every: int, first_key: int) -> list[tuple[int, range]]:
    """Triggers and the rows of their windows, from a key on."""
    keys = [(index, range((index + 1) * every, min((index + 2) * every, 2000))) for index in range(2000 // every)]
    left = [(index, range(max(own.start, first_key), own.stop)) for index, own in keys]
    return [(index, own) for index, own in left if own]


def mean_of(windows: list[tuple[int, dict[str, float]]]) -> dict[str, float]:
    """Weighted by rows."""
    rows = sum(n for n, _ in windows)
    return {metric: sum(n * of[metric] for n, of in windows) / rows for metric in ("accuracy", "log_loss", "auroc")}


def test_every_score_is_that_of_the_stored_models_on_the_common_rows(
    place: Workplace, content: dict[str, Any], rows: pa.Table
) -> None:
    """Windows, composites, first model and baselines, of windows that were cut and of those that were not."""
    assert (content["rows"], content["evaluated_anew"]) == (1300, {"windows": 1, "rows": 100})
    labels = rows["label"].to_numpy()
    assert {run["name"] for run in content["runs"]} == set(EVERY)
    for run in content["runs"]:
        path, windows = place.folder / run["run"], windows_of(EVERY[run["name"]], 700)
        own = [(len(keys), of_model(path, index, rows, keys)) for index, keys in windows]
        assert [(one["trigger"], one["n"]) for one in run["windows"]] == [(i, len(keys)) for i, keys in windows]
        for found, (_, wanted) in zip(run["windows"], own, strict=True):
            assert {metric: found[metric] for metric in wanted} == pytest.approx(wanted, abs=CLOSE)
        assert run["composite"] == pytest.approx(mean_of(own), abs=CLOSE)
        first = [(len(keys), of_model(path, 0, rows, keys)) for _, keys in windows]
        assert run["baselines"]["first_model"] == pytest.approx(mean_of(first), abs=CLOSE)
        for name in ("majority", "no_change"):
            guessed = [
                (len(keys), measured(guesses(labels, keys)[name], labels[keys.start : keys.stop]))
                for _, keys in windows
            ]
            assert run["baselines"][name] == pytest.approx(mean_of(guessed), abs=CLOSE)


def test_the_table_says_which_policy_is_better_and_by_how_much(place: Workplace, content: dict[str, Any]) -> None:
    """Best first, on how many rows; a folder of runs stands for its runs."""
    done = compared(place, "runs", "--sort", "log_loss", "--plot", "scores.svg")
    assert done.returncode == 0, done.stderr
    assert "2 runs, on the 1,300 rows that all of them scored" in done.stdout
    best, worst = sorted(content["runs"], key=lambda run: run["composite"]["log_loss"])
    lines = done.stdout.splitlines()
    places = [next(n for n, line in enumerate(lines) if f" {run['name']} " in line) for run in (best, worst)]
    assert places == sorted(places)
    assert f"{best['composite']['log_loss']:.4f}" in lines[places[0]]
    assert "<svg" in (place.folder / "scores.svg").read_text()


def test_csv_is_for_other_programs(place: Workplace, content: dict[str, Any]) -> None:
    """Nothing else comes to standard output."""
    done = compared(place, "runs/often", "runs/seldom", "--csv", "--windows")
    lines = list(csv.DictReader(io.StringIO(done.stdout)))
    assert sum(int(line["n"]) for line in lines) == 2 * content["rows"]


def test_what_was_typed_wrong_is_said_before_anything_is_evaluated(place: Workplace) -> None:
    """Exit code 2, and nothing comes to standard output."""
    done = compared(place, "runs", "--sort", "f1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--sort f1: is no metric that all runs have; these are accuracy, log_loss, auroc." in done.stderr
    assert "evaluating" not in done.stderr
