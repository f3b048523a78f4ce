"""A table of a time and a number alone: the cycles of the day and the week are learned from it."""

from __future__ import annotations

import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from workplace import HOUR_US, Workplace

from workers.inference import load_model

ROWS = 2_000
START_US = 1_704_067_200_000_000  # Monday, 2024-01-01
NOISE = 2.0


def consumption() -> pa.Table:
    """Hourly: low at night and on Sundays."""
    hours = np.arange(ROWS)
    label = 100 + 30 * np.sin(2 * np.pi * (hours - 8) / 24) - 10 * (hours // 24 % 7 == 6)
    label += np.random.default_rng(0).normal(0, NOISE, ROWS)
    return pa.table({"timestamp": pa.array(START_US + hours * HOUR_US, pa.timestamp("us")), "label": label})


def of_time(workplace: Workplace, **dataset: object) -> Workplace:
    """A pipeline that estimates the label from the timestamp alone."""
    workplace.pipeline["model"]["config"] = {"num_classes": 1}
    optimizer = {"name": "Adam", "config": {"lr": 1.0}}
    workplace.pipeline["training"] = {
        "epochs": 30,
        "batch_size": 32,
        "loss": {"name": "MSELoss"},
        "optimizer": optimizer,
    }
    workplace.pipeline["evaluation"]["metrics"] = ["mse"]
    workplace.pipeline["deployment"]["gate"] = {"metric": "mse", "on": "recent", "not_worse_by": 1e9}
    seen = {"time_features": ["hour", "weekday", "month"]}
    workplace.config["storage"]["datasets"]["rows"] = {"uri": "data/", **seen, **dataset}
    for old in (workplace.folder / "data").iterdir():
        old.unlink()
    return workplace


def test_cycles_are_learned_from_time_alone(small: Workplace, fleet_url: str) -> None:
    """It beats the mean by far, and the label before; what is deployed predicts from times, and is a rival for a run
    over the same rows whose timestamps are written in another way.
    """
    rows = consumption()
    workplace = of_time(small).use_fleet(fleet_url)
    pa_csv.write_csv(rows, workplace.folder / "data" / "rows.csv")
    workplace.write()
    shown = workplace.tell("validate", "pipeline.yaml", "config.yaml", "--experiment-mode", "--json")
    assert shown.returncode == 0, shown.stderr
    (feature,) = json.loads(shown.stdout)["dataset"]["features"]
    assert (feature["name"], feature["becomes"]) == ("timestamp", "hour, weekday, month, as sine and cosine")
    done = workplace.run("--experiment-mode", "--deploy")
    assert done.returncode == 0, done.stderr
    assert "mean so far" in done.stdout
    assert "month of timestamp has one value so far" in done.stderr + done.stdout
    summary = workplace.summary()
    scores = {name: values["mse"] for name, values in summary["baselines"].items()}
    assert summary["task"] == "regression"
    assert summary["composite"]["mse"] < scores["majority"] / 20
    assert summary["composite"]["mse"] < scores["no_change"]
    deployed = load_model(str(workplace.folder / "deployed"))
    predicted = deployed.predict(rows.select(["timestamp"]))
    assert np.mean((predicted - rows.column("label").to_numpy()) ** 2) < 30

    of_time(workplace, unit="ms")
    numbers = rows.column("timestamp").cast(pa.timestamp("ms")).cast(pa.int64())
    pq.write_table(rows.set_column(0, "timestamp", numbers), workplace.folder / "data" / "rows.parquet")
    workplace.config["storage"]["datasets"]["numbers"] = workplace.config["storage"]["datasets"].pop("rows")
    workplace.pipeline["data"]["dataset"] = "numbers"
    done = workplace.run("--experiment-mode", "--deploy", "--maximum-triggers", "1", run_dir="other")
    assert done.returncode == 0, done.stderr
    (held,) = workplace.summary("other")["targets"]
    whose = f"deployed model {summary['deployed']} of run {summary['run_id']}"
    rival = re.search(rf"not worse than {whose} \(([\d.]+)\)", held["reason"])
    assert rival is not None, held["reason"]
    assert float(rival[1]) < 30
