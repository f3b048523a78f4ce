"""A run that follows rows whose labels come in a table of their own: found, told, journaled, and found again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from running import Running
from workplace import Workplace, table

TEN_HOURS = pa.scalar(10 * 3600, pa.duration("s"))


def rows_and_labels(number: int) -> tuple[pa.Table, pa.Table]:
    """1,000 rows that have an id, and their labels, each known ten hours after its row."""
    first = 1000 * number
    rows = table(1000, first).append_column("id", pa.array([f"row-{key}" for key in range(first, first + 1000)]))
    known_at = pc.add(rows.column("timestamp"), TEN_HOURS)
    return rows.drop(["label"]), rows.select(["id", "label"]).append_column("known_at", known_at)


def write(folder: Path, name: str, content: pa.Table | bytes) -> str:
    """A producer writes a file under a hidden name, and renames it."""
    hidden = folder / f".{name}"
    hidden.write_bytes(content) if isinstance(content, bytes) else pq.write_table(content, hidden)
    hidden.rename(folder / name)
    return str(folder / name)


def begun(workplace: Workplace) -> Path:
    """2,000 rows, labels of the first 1,000; the folder of labels."""
    labels = workplace.folder / "labels"
    labels.mkdir()
    for number in range(2):
        write(workplace.folder / "data", f"part-{number}.parquet", rows_and_labels(number)[0])
    write(labels, "part-0.parquet", rows_and_labels(0)[1])
    workplace.config["storage"]["datasets"]["rows"]["labels"] = {"uri": "labels", "key": ["id"]}
    workplace.config["notification"] = {"every": "0.1s"}
    return labels


def found(workplace: Workplace) -> list[dict[str, Any]]:
    """The finds of labels that the journal has."""
    lines = (workplace.run_dir / "journal.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == "labels_discovered"]


def names(find: dict[str, Any]) -> list[str]:
    """Of its files."""
    return [Path(entry["file"]).name for entry in find["entries"]]


def test_labels_come_while_a_run_goes_on(on_fleet: Workplace) -> None:
    """Each file is found once, before the row that is next; one that does not fit is told, and read when it is mended;
    from the journal alone positions are what they were.
    """
    labels = begun(on_fleet)
    with Running.pipeline(on_fleet) as run:
        run.wait_for("model 2 committed")
        bad = write(labels, "part-1.parquet", rows_and_labels(1)[1].set_column(2, "known_at", pa.nulls(1000)))
        assert "known_at" in run.wait_for("not read, and looked at again")
        write(labels, "part-1.parquet", rows_and_labels(1)[1])
        run.wait_for(f"{bad} is read now: 1,000 rows")
        write(on_fleet.folder / "data", "part-2.parquet", rows_and_labels(2)[0])
        run.wait_for("model 4 committed")
        assert run.end() == 0
    first, second = found(on_fleet)
    assert (names(first), first["from_key"], names(second), second["from_key"]) == (
        ["part-0.parquet"], 0, ["part-1.parquet"], 2000,
    )  # fmt: skip
    manifest = on_fleet.folder / "runs/datasets/rows.labels.jsonl"
    before = [json.loads(line) for line in manifest.read_text().splitlines()]
    assert [(Path(one["file"]).name, one["first_key"]) for one in before] == [
        ("part-0.parquet", 0), ("part-1.parquet", 1000),
    ]  # fmt: skip
    manifest.unlink()
    write(labels, "a.parquet", rows_and_labels(2)[1])
    write(on_fleet.folder / "data", "part-3.parquet", rows_and_labels(3)[0])
    with Running.pipeline(on_fleet, "--resume") as run:
        run.wait_for("model 6 committed")
        assert run.end() == 0
    *_, third = found(on_fleet)
    assert (len(found(on_fleet)), names(third), third["entries"][0]["first_key"]) == (3, ["a.parquet"], 2000)
    assert third["from_key"] == 3000
    now = [json.loads(line) for line in manifest.read_text().splitlines()]
    assert [(one["file"], one["first_key"], one["fingerprint"]) for one in now[:2]] == [
        (one["file"], one["first_key"], one["fingerprint"]) for one in before
    ]
    selected = [trigger["samples_selected"] for trigger in on_fleet.summary()["trigger_list"]]
    assert selected[3] == 0, "no label of its rows was there"
    assert all(selected[number] > 0 for number in (0, 1, 2, 4, 6))


def test_an_experiment_needs_labels(on_fleet: Workplace) -> None:
    """Exit 3 before anything starts; a run that follows its dataset may begin without one."""
    labels = begun(on_fleet)
    (labels / "part-0.parquet").unlink()
    refused = on_fleet.run("--experiment-mode")
    assert (refused.returncode, on_fleet.run_dir.exists()) == (3, False), refused.stderr
    assert "In experiment mode no label comes later, and without one nothing can be trained." in refused.stderr
