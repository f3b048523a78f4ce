"""A table of labels is a dataset of its own; the rows whose labels it has need none, and show a model none."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from late_labels import LABELS, ROWS, LateLabels
from workplace import Workplace

from shared.config.system import Nulls
from shared.dataset.discovery import find
from shared.dataset.key_columns import other
from shared.dataset.labels_table import label_rows, labels_table
from shared.dataset.table import open_dataset
from shared.errors import DataError
from shared.timestamps import parse_timestamp_us

DAY_US = 86_400_000_000


@pytest.fixture
def late(small: Workplace) -> LateLabels:
    """A dataset of two files, one of each kind."""
    one = LateLabels(small)
    one.write("rows/a.csv", ROWS)
    one.write("labels/a.csv", LABELS)
    return one


def misfits(late: LateLabels, *, beside: bool = False) -> dict[str, str]:
    """File of labels → why it has no positions."""
    table = labels_table(late.config)
    there = other(late.rows(), ("id",), "the rows") if beside else None
    found = find(table, late.root, (), beside=there).misfits
    return {Path(file).name: " ".join(one.sentences) for file, one in found.items()}


def test_the_table_as_a_dataset(late: LateLabels) -> None:
    """Its timestamps are when labels are known, its features the key columns; nulls are let in."""
    table = labels_table(late.config)
    assert (table.name, table.timestamp, table.label, table.features) == ("rows.labels", "known_at", "label", ("id",))
    assert (table.nulls, table.labels) == (Nulls(features="impute", labels="drop"), None)
    with pytest.raises(ValueError, match="rows.labels has no table of labels"):
        labels_table(table)


def test_label_rows_are_read_by_position(late: LateLabels) -> None:
    """Pieces of files in order: key columns, when each is known, and the label; a null is one that is none."""
    late.write("labels/b.csv", b"known_at,label,id\n2024-01-04,,1\n2024-01-03,1,\n2030-01-01,0,7\n")
    table = late.labels()
    assert table.rows == 5
    pieces = list(label_rows(table, 1, 5, batch_rows=2))
    assert [(one.first_position, one.keys.num_rows) for one in pieces] == [(1, 1), (2, 2), (4, 1)]
    assert [text for one in pieces for text in one.keys.column("id").to_pylist()] == [2, 1, None, 7]
    assert [text for one in pieces for text in one.labels.to_pylist()] == [1, None, 1, 0]
    days = ["2024-01-06", "2024-01-04", "2024-01-03", "2030-01-01"]
    assert [one for piece in pieces for one in piece.known_us.tolist()] == [parse_timestamp_us(one) for one in days]


def test_a_key_may_be_when_it_is_known(small: Workplace) -> None:
    """And a key may have several columns."""
    late = LateLabels(small, key=["place", "known_at"])
    days = [datetime(2024, 1, day, tzinfo=UTC) for day in (1, 2)]
    late.write("labels/a.parquet", {"known_at": days, "place": ["a", "b"], "label": [0.5, 1.5]})
    (piece,) = label_rows(late.labels(), 0, 2)
    assert piece.keys.column_names == ["place", "known_at"]
    assert piece.keys.column("place").to_pylist() == ["a", "b"]
    assert piece.known_us[1] - piece.known_us[0] == DAY_US


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"id,label,known_at\n3,0,\n", "the timestamp in known_at of row 1 in"),
        (b"id,label\n3,0\n", "has no column known_at; its columns are id, label."),
        (b"key,label,known_at\n3,0,2024-01-07\n", "has no column id; its columns are key, label, known_at."),
        (b"id,label,known_at\n3,maybe,2024-01-07\n", "label is string in"),
        ({"id": [3], "known_at": ["2024-01-07"], "label": [[0]]}, "label is list<element: int64> in"),
        ({"id": [[3]], "known_at": ["2024-01-07"], "label": [0]}, "id is list<element: int64> in"),
    ],
)
def test_labels_that_do_not_fit(late: LateLabels, content: Any, told: str) -> None:
    """They have no positions, and are told with their file; others are read."""
    assert late.labels().rows == 2
    name = late.write(f"labels/b.{'csv' if isinstance(content, bytes) else 'parquet'}", content).name
    assert told in misfits(late)[name]
    assert late.labels().rows == 2


def test_nulls_among_labels(late: LateLabels) -> None:
    """A label that is null is none yet, and one without a key belongs to no row: such rows have positions."""
    late.write("labels/b.csv", b"id,label,known_at\n,0,2024-01-07\n3,,2024-01-07\n")
    assert misfits(late) == {}
    assert late.labels().rows == 4


@pytest.mark.parametrize(
    ("key", "fits"),
    [([1, 2], True), ([1.0, 2.0], True), ([True, False], True), ([None, None], True), (["1", "2"], False)],
)
def test_keys_of_both_tables_can_be_equal(late: LateLabels, key: list[Any], fits: bool) -> None:
    """Numbers of any type can; a text is no number."""
    values = pa.array(key, pa.null() if key == [None, None] else None)
    late.write("labels/a.parquet", {"id": values, "label": [0, 1], "known_at": ["2024-01-05", "2024-01-06"]})
    (late.folder / "labels/a.csv").unlink()
    told = misfits(late, beside=True)
    assert (told == {}) == fits
    if not fits:
        where = f"id is string in {late.folder}/labels/a.parquet, but int64 among the rows"
        assert f"dataset rows.labels: {where}, so that no row would find its label" in told["a.parquet"]
        assert "In a CSV digits are numbers: write texts there as JSON lines or Parquet." in told["a.parquet"]
        assert late.labels().rows == 2, "who knows of no rows takes them"


def test_rows_that_come_behind_labels_have_to_fit_these(late: LateLabels) -> None:
    """Whichever table has rows first says of which kind keys are."""
    labels = late.labels()
    late.write("rows/a.csv", ROWS.replace(b",1,", b",one,"))
    found = find(late.config, late.root, (), beside=other(labels, ("id",), "its labels"))
    (misfit,) = found.misfits.values()
    assert misfit.why == "columns"
    assert "dataset rows: id is string in" in misfit.sentences[0]
    assert "but int64 among its labels" in misfit.sentences[0]


def test_keys_of_rows_by_which_nothing_can_be_found(late: LateLabels) -> None:
    """Lists and the like."""
    (late.folder / "rows/a.csv").unlink()
    late.write("rows/a.parquet", {"timestamp": ["2024-01-01"], "id": [[1]], "x": [0.5]})
    (misfit,) = find(late.config, late.root, ()).misfits.values()
    assert "dataset rows: id, by which rows find their labels, is list<element: int64>" in misfit.sentences[0]


def test_keys_of_labels_that_find_nothing(late: LateLabels) -> None:
    """The same is said of them; they are no features that could be left out."""
    (late.folder / "labels/a.csv").unlink()
    late.write("labels/a.parquet", {"known_at": ["2024-01-01"], "id": [[1]], "label": [0]})
    told = misfits(late)["a.parquet"]
    assert "dataset rows.labels: id, by which rows find their labels, is list<element: int64>; numbers, texts" in told
    assert "features" not in told


def test_rows_need_no_label(late: LateLabels) -> None:
    """They need their keys, which are no features; a null among these is a row whose label never comes."""
    rows = late.rows()
    assert (rows.rows, rows.feature_columns, rows.has_text_labels) == (2, ("x",), False)
    late.write("rows/b.csv", b"timestamp,x\n2024-01-03,0\n")
    late.write("rows/c.csv", b"timestamp,id,x\n2024-01-03,,0\n")
    assert "rows/b.csv has no column id; its columns are timestamp, x." in str(find(late.config, late.root, ()).misfits)
    assert late.rows().rows == 3


def test_columns_of_rows_that_are_called_like_those_of_labels(late: LateLabels) -> None:
    """They are no features, as they may be what is known later, and nobody reads them."""
    late.write("rows/a.csv", b"timestamp,id,x,label,known_at\n2024-01-01,1,0.5,maybe,\n")
    rows = late.rows()
    assert rows.feature_columns == ("x",)
    with pytest.raises(
        DataError, match=f"label label is in the table of labels, {late.folder}/labels, not in the rows"
    ):
        rows.batches(["x", "label"], 0, 1)
    with pytest.raises(DataError, match="is in the table of labels"):
        rows.labels(0, 1)


def test_text_labels_may_grow(small: Workplace) -> None:
    """JSON lines to which lines are added, as those of rows; texts are classes."""
    late = LateLabels(small)
    log = late.write("labels/a.jsonl", b'{"id": 1, "label": "no", "known_at": "2024-01-05"}\n')
    assert late.labels().has_text_labels
    log.write_bytes(log.read_bytes() + b'{"id": 2, "known_at": "2024-01-06"}\n')
    table = late.labels()
    assert [(one.first_key, one.rows) for one in table.entries] == [(0, 1), (1, 1)]
    assert [one for piece in label_rows(table, 0, 2) for one in piece.labels.to_pylist()] == ["no", None]


def test_ids_that_get_letters_later_are_told_with_what_helps(small: Workplace) -> None:
    """A key is no feature that could be left out; one of the rows is."""
    late = LateLabels(small)
    for name, content in (("labels/a.csv", LABELS), ("rows/a.csv", ROWS)):
        late.write(name, content)
    assert late.labels().rows + late.rows().rows == 4
    late.write("labels/a.csv", LABELS + b"A3,1,2024-01-07\n")
    late.write("rows/a.csv", ROWS + b"2024-01-03,A3,many\n")
    of_labels = misfits(late)["a.csv"]
    assert "id is string from row 3 on in" in of_labels
    assert "(row 3 is 'A3'), but int64 before; write it as before, or have new files that say their types" in of_labels
    (of_rows,) = find(late.config, late.root, ()).misfits.values()
    by_column = dict(zip(("id", "x"), sorted(of_rows.sentences), strict=True))
    assert by_column["id"].endswith("(JSON lines, Parquet) and a dataset of another name.")
    assert by_column["x"].endswith("but double before; write it as before, or leave the column out with `features:`.")


def test_times_as_people_write_them(small: Workplace) -> None:
    """In any form that timestamps may have; who needs another is told what to write, and where."""
    late = LateLabels(small)
    late.write("labels/a.csv", b"id,label,known_at\n1,0,31/01/2024 12:00\n")
    told = misfits(late)["a.csv"]
    assert '`known_at: {column: known_at, format: "%d/%m/%Y %H:%M"}` in storage.datasets.rows.labels.' in told
    group = {"column": "known_at", "format": "%d/%m/%Y %H:%M", "zone": "Europe/Zurich"}
    small.config["storage"]["datasets"]["rows"]["labels"]["known_at"] = group
    (piece,) = label_rows(late.labels(), 0, 1)
    assert piece.known_us.tolist() == [parse_timestamp_us("2024-01-31T11:00")]
    numbers = LateLabels.write(late, "labels/b.csv", b"id,label,known_at\n1,0,1706698800\n")
    (late.folder / "labels/a.csv").unlink()
    Path(f"{late.root}/datasets/rows.labels.jsonl").unlink()
    small.config["storage"]["datasets"]["rows"]["labels"]["known_at"] = "known_at"
    assert "`known_at: {column: known_at, unit: s}` (2024-01-31T11:00:00.000000Z)" in misfits(late)[numbers.name]


def test_a_label_may_be_known_in_years(late: LateLabels) -> None:
    """No moment is too late for its file, as it would be for a row."""
    table = late.labels()
    assert (table.latest_us(0, 2) > parse_timestamp_us("4000-01-01")).all()
    assert open_dataset(late.config, late.rows().entries).latest_us(0, 1)[0] < parse_timestamp_us("4000-01-01")
