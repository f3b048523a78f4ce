"""Runs whose scores are estimated, in one process: how wrong estimates are, and what tells that they are."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from one_process import OneProcess
from rescoring import answered, requests
from shifting import estimating, made
from workplace import HOUR_US, Workplace

from supervisor.results.estimates import remarks


def run_of(small: Workplace, **options: Any) -> tuple[OneProcess, dict[str, Any]]:
    """A whole run, and its summary."""
    run = OneProcess(small, random.Random(0), **options)
    run.begin()
    return run, run.to_its_end()


def rows_of(run: OneProcess) -> list[dict[str, str]]:
    """evaluations.csv."""
    with (run.directory.path / "evaluations.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("method", ["cbpe", "pape"])
def test_features_that_move_leave_estimates_right(tmp_path: Path, method: str) -> None:
    """Mean error below .02, in evaluations.csv as in the summary; what cannot be estimated has an empty column."""
    run, content = run_of(estimating(tmp_path / "moves", "features", method=method))
    errors = content["estimates"]["metrics"]
    assert errors["accuracy"]["windows"] == 4
    assert errors["accuracy"]["mean_error"] < 0.02
    assert errors["f1"]["mean_error"] < 0.02
    rows = rows_of(run)
    found = [abs(float(one["value"]) - float(one["estimated"])) for one in rows if one["metric"] == "accuracy"]
    assert np.mean(found) == pytest.approx(errors["accuracy"]["mean_error"])
    assert {one["estimated"] for one in rows if one["metric"] == "auroc"} == {""}
    assert not [one for one in remarks(content["estimates"]) if "do not hold" in one]
    for one in content["estimates"]["windows"]:
        assert one["shift"] > 0.55
        assert one["calibrated_on"] == 2_000
        assert (one["effective_rows"] is None) == (method == "cbpe")


def test_a_concept_that_moves_makes_them_wrong_and_the_report_says_by_how_much(tmp_path: Path) -> None:
    """Features look as ever, chances are off, and the closing table speaks of it."""
    small = estimating(tmp_path / "moves", "concept")
    small.pipeline["trigger"]["every"] = 8_000
    _, content = run_of(small)
    errors, (first, *_) = content["estimates"]["metrics"]["accuracy"], content["estimates"]["windows"]
    assert errors["mean_error"] > 0.05
    assert errors["mean_error"] > 3 * errors["by_chance"]
    assert first["estimated"]["accuracy"] - first["value"]["accuracy"] > 0.05
    assert first["calibration_error"] > 0.05
    assert abs(first["shift"] - 0.5) < 0.03
    told = list(remarks(content["estimates"]))
    assert any(one.startswith(f"accuracy estimated without labels: off by {errors['mean_error']:.4f}") for one in told)
    assert any("estimates of accuracy, f1 do not hold here: features have hardly moved" in one for one in told)


def test_scores_are_the_same_with_and_without_estimates(tmp_path: Path) -> None:
    """To the byte, but for the column; and so they are if windows are scored anew."""
    told = []
    for name in ("with", "without"):
        small = estimating(tmp_path / name, "features", metrics=["accuracy"], rows=200)
        small.pipeline["evaluation"]["on"] = [
            {"name": "next", "window": "until_next_trigger", "split": "test"},
            {"name": "months", "window": {"every": "200d"}},
        ]
        if name == "without":
            del small.pipeline["evaluation"]["estimate"]
        run, content = run_of(small)
        told.append(rows_of(run))
        assert (content["estimates"] is None) == (name == "without")
        asked = requests(run)[:2]
        for (_, before), after in zip(asked, answered(run, [one for one, _ in asked], tmp_path), strict=True):
            for whose, scores in before.items():
                assert [(one.metric, one.value) for one in after.scores[whose]] == [
                    (one.metric, one.value) for one in scores
                ]
    assert [{key: one[key] for key in one if key != "estimated"} for one in told[0]] == told[1]
    estimated = [one for one in told[0] if one["estimated"]]
    assert {one["metric"] for one in estimated} == {"accuracy"}
    assert {one["window"] for one in estimated} == {"next", "months"}
    began = {one["trigger"]: one["first_timestamp"] for one in told[0] if one["window"] == "next"}
    slices = [one for one in told[0] if one["window"] == "months" and one["metric"] == "accuracy"]
    for one in slices:  # of rows that the model may have been trained on there is no estimate
        assert bool(one["estimated"]) == (one["trigger"] in began and one["first_timestamp"] >= began[one["trigger"]])


def late(folder: Path) -> Workplace:
    """Labels stand in a table of their own, and come 3,000 hours after their rows, which are an hour apart."""
    small = estimating(folder, "features", metrics=["accuracy"])
    rows = made("features")
    ids = pa.array(np.arange(len(rows)))
    known_at = pa.array((np.arange(len(rows)) + 3_000) * HOUR_US, pa.timestamp("us", tz="UTC"))
    (folder / "labels").mkdir()
    labels = pa.table({"id": ids, "label": rows["label"], "known_at": known_at})
    pq.write_table(labels, folder / "labels" / "0.parquet")
    pq.write_table(rows.drop_columns("label").append_column("id", ids), folder / "data" / "0.parquet")
    small.config["storage"]["datasets"]["rows"] |= {
        "uri": "data",
        "features": ["x0", "x1", "x2"],
        "labels": {"uri": "labels", "key": ["id"]},
    }
    return small


def test_what_follows_its_dataset_estimates_before_labels_are_known(tmp_path: Path) -> None:
    """A window that waits for its labels has an estimate at once, and the same one beside its score later on."""
    run = OneProcess(late(tmp_path / "late"), random.Random(0), experiment=False)
    run.begin()
    early: dict[str, str] = {}
    while run.work() or (not run.observer.at_end and run.observe()):  # a fleet that is faster than rows come
        if run.done and run.done[-1][0].kind == "evaluate" and run.done[-1][0].early:
            newest = run.sum_up()["estimates"]["windows"][-1]
            assert 0.5 < newest["shift"] < 0.7  # all there is to tell whether to believe it
            waiting = [one for one in rows_of(run) if one["error"] == "labels are waited for"]
            assert all((one["value"], one["n"]) == ("", "0") for one in waiting)
            early |= {one["trigger"]: one["estimated"] for one in waiting}
    run.sum_up()
    scored = {one["trigger"]: one for one in rows_of(run) if one["metric"] == "accuracy" and one["value"]}
    assert {"0", "3"} <= early.keys()  # those between are seen with rows that come so late that their labels are known
    assert len(scored) == 3
    for trigger, one in scored.items():
        assert one["estimated"] == early.get(trigger, one["estimated"])
        assert abs(float(one["estimated"]) - float(one["value"])) < 0.03


def test_who_is_killed_has_the_same_estimates(tmp_path: Path) -> None:
    """In whatever order tasks are done, and whoever takes over."""
    told = []
    for name, seed, risk in (("one", 0, 0.0), ("other", 1, 0.05)):
        run = OneProcess(late(tmp_path / name), random.Random(seed), risk=risk)
        run.begin()
        run.to_its_end()
        told.append(rows_of(run))
    assert told[0] == told[1]
    assert any(one["estimated"] for one in told[0])


def test_without_rows_to_calibrate_on_there_is_a_reason(tmp_path: Path) -> None:
    """Too few held-out rows were known at the trigger: no estimate, and why, once for all such windows."""
    small = estimating(tmp_path / "few", "features")
    small.pipeline["data"]["split"]["test"] = 0.002
    run, content = run_of(small)
    assert not [one for one in rows_of(run) if one["estimated"]]
    assert content["estimates"]["missing"] == {
        "fewer than 50 held-out rows to calibrate on had a label that was known": 4
    }
    assert content["estimates"]["metrics"]["accuracy"]["mean_error"] is None


def test_a_window_like_nothing_before_is_not_estimated(tmp_path: Path) -> None:
    """Where the features jump to where no row was, weighting has nothing to weigh, and says so."""
    small = estimating(tmp_path / "jumps", "nothing")
    rows = made("nothing")
    jumped = np.where(np.arange(len(rows)) < 8_000, rows["x0"], np.asarray(rows["x0"]) + 12).astype(np.float32)
    rows = rows.set_column(rows.column_names.index("x0"), "x0", pa.array(jumped))
    pq.write_table(rows, small.folder / "data" / "0.parquet")
    _, content = run_of(small)
    assert content["estimates"]["missing"] == {
        "of the rows to calibrate on fewer than 50 are like those of the window": 1
    }
    second = content["estimates"]["windows"][1]
    assert (second["trigger"], second["estimated"]) == (1, {})
    assert second["shift"] > 0.99
    assert second["effective_rows"] < 50
