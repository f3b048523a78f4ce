"""Dates that cannot be right, from the command line: the run goes on as if they were not there, and says so."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from running import Running
from workplace import HOUR_US, Workplace, table

from shared.timestamps import parse_timestamp_us

START_US = parse_timestamp_us("2023-11-14")


def write(workplace: Workplace, name: str, first: int, rows: int, far: int | slice | None = None) -> None:
    """Rows a minute apart; the one at place `far`, or all in it, are of 2191."""
    times = START_US + np.arange(first, first + rows) * (HOUR_US // 60)
    if far is not None:
        times[far] = parse_timestamp_us("2191-04-01")
    moments = pa.array(times, pa.timestamp("us", tz="UTC"))
    pq.write_table(table(rows, first).set_column(0, "timestamp", moments), workplace.folder / "data" / name)


def test_one_row_of_2191_costs_no_trigger(on_fleet: Workplace) -> None:
    """Triggers, windows and slices are as without it; it is told once, counted, and named by `validate`."""
    for old in (on_fleet.folder / "data").iterdir():
        old.unlink()
    on_fleet.pipeline["trigger"] = {"policy": "time", "every": "8h"}
    on_fleet.pipeline["evaluation"]["on"] = [
        {"name": "recent", "window": {"last": "4h"}},
        {"name": "six", "window": {"every": "6h"}},
    ]
    write(on_fleet, "rows.parquet", 0, 2000, far=700)
    done = on_fleet.run("--experiment-mode")
    assert done.returncode == 0, done.stderr
    summary = on_fleet.summary()
    assert [row["key"] for row in summary["trigger_list"]] == [479, 959, 1439, 1919]
    assert (summary["misdated"]["rows"], summary["misdated"]["key"]) == (1, 700)
    warnings = [line for line in done.stderr.splitlines() if "2191-04-01" in line]
    assert len(warnings) == 1
    assert "1 row does not advance event time" in warnings[0]
    assert "key 700 in " in warnings[0]
    scores = [line.split(",") for line in on_fleet.evaluations()[1:]]
    assert [row[6] for row in scores if row[1] == "recent" and row[4] == "accuracy"] == ["240"] * 4
    assert [row[6] for row in scores if row[1] == "six" and row[:1] + row[4:5] == ["0", "accuracy"]] == [
        *["360"] * 5,
        "200",
    ]
    assert json.loads((on_fleet.folder / "runs/datasets/rows.jsonl").read_text())["discovered_us"] > START_US
    checked = on_fleet.tell("validate", "pipeline.yaml", "config.yaml", "--experiment-mode")
    assert checked.returncode == 0
    assert "! dataset rows: 1 row is dated too late to advance event time: key 700 in " in checked.stdout
    assert "trigger policy: time, 4 triggers on these rows" in checked.stdout
    assert "event time: 2023-11-14T00:00:00.000000Z to 2023-11-15T09:19" in checked.stdout


def test_files_that_are_read_in_the_wrong_order_are_named_at_the_start(on_fleet: Workplace) -> None:
    """With the name that is to be padded; a run that never fires says so at its end, with the span of its stream."""
    for old in (on_fleet.folder / "data").iterdir():
        old.unlink()
    on_fleet.pipeline["trigger"] = {"policy": "time", "every": "9d"}
    for number in range(1, 13):
        write(on_fleet, f"{number}.parquet", 100 * number, 100)
    done = on_fleet.run("--experiment-mode")
    assert done.returncode == 0, done.stderr
    assert "1 of 12 files begins before the file read before it ends" in done.stderr
    assert "(2.parquet → 02.parquet)" in done.stderr
    never = "! the trigger policy never fired on 1,200 rows, whose event time goes from 2023-11-14T01:40"
    assert never in done.stderr
    checked = on_fleet.tell("validate", "pipeline.yaml", "config.yaml", "--experiment-mode")
    assert (checked.returncode, never in checked.stdout) == (0, True)
    assert "1 of 12 files begins before the file read before it ends" in checked.stdout


def test_a_dataset_that_begins_with_a_bad_clock_is_followed_once_it_is_mended(on_fleet: Workplace) -> None:
    """Production: rows of 2191 alone are told once and wait; with the first that can be right they are followed."""
    for old in (on_fleet.folder / "data").iterdir():
        old.unlink()
    on_fleet.config["notification"] = {"every": "0.1s"}
    write(on_fleet, "a.parquet", 0, 500, far=slice(0, 500))
    with Running.pipeline(on_fleet) as run:
        run.wait_for("500 rows do not advance event time, being dated too late; the first of them, key 0 in ")
        write(on_fleet, ".b.tmp", 500, 1000, far=3)
        (on_fleet.folder / "data/.b.tmp").rename(on_fleet.folder / "data/b.parquet")
        run.wait_for("model 2 deployed")
        assert run.end() == 0
    summary = on_fleet.summary()
    assert [(row["key"], row["timestamp"][:16]) for row in summary["trigger_list"]] == [
        (499, "2023-11-14T08:20"),
        (999, "2023-11-14T16:39"),
        (1499, "2023-11-15T00:59"),
    ]
    assert summary["misdated"]["rows"] == 501
