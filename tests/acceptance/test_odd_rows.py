"""Nulls, late categories and columns that vary late: no run ends of them, and what became of them is said."""

from __future__ import annotations

import json
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
from workplace import PROJECT, Workplace, environment, table

from workers.inference import load_model

NULL_KEYS = (70, 700, 1_700, 1_900)


def with_nulls(small: Workplace) -> None:
    """2,000 rows: four without x0, four without a label; a text with a new value, and a column that varies, late."""
    rows = table(2_000)
    for name in ("x0", "label"):
        values = rows.column(name).to_pylist()
        for key in NULL_KEYS:
            values[key if name == "x0" else key + 1] = None
        rows = rows.set_column(rows.column_names.index(name), name, pa.array(values, rows.schema.field(name).type))
    rows = rows.append_column("region", pa.array(["A"] * 1_000 + ["A", "B"] * 500))
    rows = rows.append_column("z", pa.array([5.0] * 1_000 + [float(key) for key in range(1_000)]))
    for number in range(2):
        pq.write_table(rows.slice(1_000 * number, 1_000), small.folder / "data" / f"part-{number}.parquet")


def test_nulls_end_no_run_and_are_counted(on_fleet: Workplace) -> None:
    """They stand in journal, log and summary by trigger and column; a deployed model fills in alike."""
    with_nulls(on_fleet)
    on_fleet.pipeline["data"]["split"] = {"test": 0.0}
    on_fleet.pipeline["trigger"]["every"] = 600
    on_fleet.config["storage"]["datasets"]["rows"]["nulls"] = {"labels": "drop"}
    on_fleet.pipeline["evaluation"]["on"][1]["split"] = None
    on_fleet.pipeline["deployment"]["gate"]["at_least"] = 0.0
    done = on_fleet.run("--experiment-mode")
    assert done.returncode == 0, done.stderr
    summary = on_fleet.summary()
    by_trigger = [trigger["nulls"] for trigger in summary["trigger_list"]]
    assert by_trigger == [{"label": 1, "x0": 1}] * 3
    assert summary["nulls"] == {"label": 4, "x0": 3}  # with the row behind the last trigger that is not scored
    assert [trigger["samples_selected"] for trigger in summary["trigger_list"]] == [599] * 3
    assert summary["unknown_categories"] == {"region": 399}  # one of them has no label
    events = [json.loads(line) for line in (on_fleet.run_dir / "journal.jsonl").read_text().splitlines()]
    reports = [event["report"] for event in events if "report" in event]
    assert [one["dropped"] for one in reports if one.get("report") == "selected"].count({"label": 1}) == 3
    assert [one["features"]["imputed"] for one in reports if one.get("report") == "trained"].count({"x0": 1}) == 3
    assert "trigger 0: rows left out as their label is null: 1 in label" in done.stderr
    assert "trigger 0: nulls filled in, of 599 rows: x0 1" in done.stderr
    assert "! trigger 1: 100 of 599 rows have a category of region that the model does not know: 'B' 100" in done.stderr
    assert "trigger 1: z was constant so far and varies now" in done.stderr
    scored = {
        line.split(",")[0]: line.split(",")[6] for line in on_fleet.evaluations()[1:] if ",next,,,accuracy," in line
    }
    assert scored == {"0": "599", "1": "599", "2": "199"}
    model = load_model(str(on_fleet.run_dir / "models" / "2"))
    row = {"x0": [None], "x1": [0.0], "region": [None], "z": [None]}
    assert model.predict(pa.table({name: pa.array(one, model_type(name)) for name, one in row.items()})).shape == (1, 2)


def model_type(name: str) -> pa.DataType:
    """Of a column of the dataset."""
    return pa.string() if name == "region" else pa.float64()


def test_validate_shows_what_it_understood(small: Workplace) -> None:
    """Rows, label and each column, with what becomes of it; what is refused is an error that offers the key."""
    with_nulls(small)
    small.write()
    files = (str(small.folder / "pipeline.yaml"), str(small.folder / "config.yaml"))

    def validate() -> subprocess.CompletedProcess[str]:
        command = small.command("validate", *files, "--experiment-mode")
        return subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=200, cwd=PROJECT, env=environment()
        )

    refused = validate()
    assert refused.returncode == 3
    assert "the label in label of row 72 is null" in refused.stderr
    assert "`nulls: {labels: drop}`" in refused.stderr
    small.config["storage"]["datasets"]["rows"]["nulls"] = {"labels": "drop"}
    small.write()
    done = validate()
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.replace("│", " ").split()) for line in done.stdout.splitlines()]
    assert "dataset rows: 2,000 rows in 2 files" in done.stdout
    assert "trigger policy: data_amount, 4 triggers on these rows" in lines
    assert any(line.startswith("label: label (int64), 4 null, which are neither selected nor scored") for line in lines)
    assert any(line.startswith("x0 float 4, become the mean") for line in lines)
    assert any(line.startswith("! dataset rows: z: 5.0 in the first 1,000 of 2,000 rows") for line in lines)
