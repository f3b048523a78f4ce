"""CSV and JSON lines say no types, and come packed and encoded in many ways: all of it is read as it was meant."""

from __future__ import annotations

import bz2
import codecs
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shared.config.system import Dataset
from shared.dataset.discovery import discover
from shared.dataset.problems import problems
from shared.dataset.table import TableDataset, open_dataset
from shared.errors import DataError

FAR = 150_000  # rows of a few bytes that are more than one block
ZSTD = pa.Codec("zstd")


class Folder:
    """A dataset of files that are written by hand."""

    def __init__(self, root: Path) -> None:
        self.data, self._runs = root / "data", str(root / "runs")
        self.data.mkdir()

    def add(self, name: str, text: str | bytes) -> None:
        """One more file."""
        (self.data / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    def found(self, **changes: Any) -> TableDataset:
        """The dataset as far as it has come."""
        values = {"timestamp": "time", "unit": "s", "label": "label", "features": None, "image": None, "text": None}
        config = Dataset(**{"name": "rows", "kind": "table", "uri": str(self.data), **values, **changes})
        return open_dataset(config, discover(config, self._runs))

    def wrong(self, **changes: Any) -> str:
        """What is said of it."""
        try:
            return " ".join(problems(self.found(**changes)))
        except DataError as error:
            return str(error)

    def values(self, name: str, **changes: Any) -> list[Any]:
        """A column of all rows, in which nothing is wrong."""
        dataset = self.found(**changes)
        assert problems(dataset) == []
        return [value for _, piece in dataset.batches([name], 0, dataset.rows) for value in piece[name].to_pylist()]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty one."""
    return Folder(tmp_path)


def csv(values: list[str]) -> str:
    """A file whose column x has these texts."""
    return "time,x,label\n" + "".join(f"1,{value},0\n" for value in values)


def lines(values: list[str]) -> str:
    """The same in JSON lines."""
    return "".join(f'{{"time": 1, "x": {value or "null"}, "label": 0}}\n' for value in values)


WRITTEN = {"csv": csv, "jsonl": lines}
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".zst": lambda text: ZSTD.compress(text, asbytes=True),
}


@pytest.mark.parametrize("kind", ["csv", "jsonl", "CSV", "ndjson"])
@pytest.mark.parametrize("ending", PACKED)
def test_packed_files_are_read(folder: Folder, kind: str, ending: str) -> None:
    """Also in several pieces, as programs that pack in parallel write them; the file's first bytes say how."""
    text, pack = WRITTEN.get(kind.lower(), lines)(["1", "2", "3"]).encode(), PACKED[ending]
    folder.add(f"a.{kind}{ending}", pack(text[:20]) + pack(text[20:]) if ending in (".gz", ".bz2") else pack(text))
    folder.add("b.csv", PACKED[ending](csv(["4"]).encode()))
    assert folder.values("x") == [1, 2, 3, 4]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize(("first", "later"), [("1", "0.5"), ("", "7"), ("", "0.5"), ("1", str(2**40)), ("7", "")])
def test_a_column_widens_within_a_file(folder: Folder, kind: str, first: str, later: str) -> None:
    """What is behind the first block counts as what is in it."""
    folder.add(f"a.{kind}", WRITTEN[kind]([first] * FAR + [later]))
    as_read = [None if not text else float(text) if "." in later else int(text) for text in (first, later)]
    values = [value for _, piece in folder.found().batches(["x"], 0, FAR + 1) for value in piece["x"].to_pylist()]
    assert values == [as_read[0]] * FAR + [as_read[1]]


def test_many_columns_widen(folder: Folder) -> None:
    """Each of them, whole numbers and texts among them."""
    head = "time,label," + ",".join(f"x{number}" for number in range(20))
    before = "1,0," + ",".join(["1"] * 20)
    after = "1,0," + ",".join(["0.5" if number % 3 == 0 else "a" if number % 3 == 1 else "2" for number in range(20)])
    folder.add("a.csv", "\n".join([head, *[before] * FAR, after, ""]))
    dataset = folder.found()
    assert {str(dataset.schema.field(f"x{number}").type) for number in range(0, 20, 3)} == {"double"}
    assert {str(dataset.schema.field(f"x{number}").type) for number in range(1, 20, 3)} == {"string"}
    assert {str(dataset.schema.field(f"x{number}").type) for number in range(2, 20, 3)} == {"int64"}
    assert folder.values("x1")[-1:] == ["a"]
    assert folder.values("x1")[:1] == ["1"]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_column_widens_from_file_to_file(folder: Folder, kind: str) -> None:
    """Also far behind the beginning of the later one; Parquet before or after."""
    folder.add(f"a.{kind}", WRITTEN[kind](["1", "2"]))
    folder.add(f"b.{kind}", WRITTEN[kind](["3"] * FAR + ["0.5"]))
    pq.write_table(pa.table({"time": [1], "x": pa.array([4], pa.int32()), "label": [0]}), folder.data / "c.parquet")
    assert folder.values("x") == [1, 2, *[3] * FAR, 0.5, 4]


def test_what_looks_like_numbers_is_text_where_the_first_file_has_texts(folder: Folder) -> None:
    """CSV says no types, so that names of one file may all be digits."""
    folder.add("a.csv", csv(["x", "y"]))
    folder.add("b.csv", csv(["007", "1.50"]))
    assert folder.values("x") == ["x", "y", "007", "1.50"]


def test_texts_among_numbers_are_told_with_both_files(folder: Folder) -> None:
    """They cannot be widened, and nobody is told to restore what nobody changed."""
    folder.add("a.csv", csv(["1"]))
    folder.add("b.csv", csv(["2"] * FAR + ["many"]))
    dataset = folder.found()
    (problem,) = problems(dataset)
    assert f"x is string in {folder.data}/b.csv (row {FAR + 1} is 'many'), but int64 in {folder.data}/a.csv" in problem
    with pytest.raises(DataError, match=r"b\.csv cannot be read: row \d+: .*invalid value 'many'\. Mend") as caught:
        list(dataset.batches(["x"], 0, dataset.rows))
    assert caught.value.__cause__.__cause__ is not caught.value.__cause__
    assert "Restore" not in str(caught.value)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_file_without_rows_decides_nothing(folder: Folder, kind: str) -> None:
    """A header alone, or nothing, is as if the file were not there."""
    folder.add(f"a.{kind}", "time,x,label\n" if kind == "csv" else "\n")
    folder.add("b.csv", csv(["0.5"]))
    if kind == "csv":
        assert folder.values("x") == [0.5]
    assert folder.found().schema.field("x").type == pa.float64()


@pytest.mark.parametrize("delimiter", [";", "\t", "|", ","])
def test_the_delimiter_is_seen(folder: Folder, delimiter: str) -> None:
    """The first line shows it, also where its names are quoted."""
    head = ["time", '"x"', '"a;b;c,d,e;;;"', "b;c" if delimiter == "," else "b, c", "label"]
    folder.add("a.csv", "\n".join(delimiter.join(row) for row in (head, ["1", "2", "3", "4", "0"])) + "\n")
    assert folder.values("x") == [2]


def test_a_delimiter_may_be_said(folder: Folder) -> None:
    """Any character, and where the first line would show another."""
    folder.add("a.csv", "time~x~label~a,b\n1~2~0~3\n")
    assert folder.values("x", delimiter="~") == [2]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_encodings(folder: Folder, encoding: str, kind: str) -> None:
    """Names and values are those that were written, also behind the first block."""
    text = "größe" if kind == "csv" else '"größe"'
    body = WRITTEN[kind]([text] * FAR).replace("x", "naïve")
    folder.add(f"a.{kind}", body.encode(encoding))
    assert set(folder.values("naïve", encoding=codecs.lookup(encoding).name)) == {"größe"}


@pytest.mark.parametrize("place", ["name", "value", "far value"])
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_another_encoding_is_offered(folder: Folder, place: str, kind: str) -> None:
    """Where a file is not UTF-8, in a sentence that can be printed."""
    text = "größe" if kind == "csv" else '"größe"'
    body = WRITTEN[kind](["a" if kind == "csv" else '"a"'] * (FAR if place == "far value" else 0) + [text])
    folder.add(f"a.{kind}", (body.replace("x", "xö") if place == "name" else body).encode("latin-1"))
    told = folder.wrong(features=("xö",) if place == "name" else ("x",))
    assert "`encoding: latin-1`" in told
    assert told.isprintable()


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.jsonl", "a.csv.gz", "a"])
@pytest.mark.parametrize(
    "body", [bytes(range(256)) * 5, gzip.compress(b"x" * 999, mtime=0)[:20], b"\x1b[31mred,\x07\n1,2\n", b""]
)
def test_no_error_has_bytes_that_cannot_be_printed(folder: Folder, name: str, body: bytes) -> None:
    """Whatever is in a file."""
    folder.add(name, body)
    told = folder.wrong(uri=str(folder.data / name))
    assert told
    assert told.isprintable()


def test_line_ends_within_values(folder: Folder) -> None:
    """Quoted ones end no row, wherever blocks of the file end."""
    values = [f'"line {number}\nand more, of it"' for number in range(FAR // 4)]
    folder.add("a.csv", csv(values))
    assert folder.values("x") == [value.strip('"') for value in values]


def test_keys_that_rows_lack_are_nulls(folder: Folder) -> None:
    """In JSON lines any row may have any keys, in any order; all files need not have all keys."""
    folder.add("a.jsonl", '{"time":1,"label":0}\n' * FAR + '{"x":2,"label":0,"time":1}\n{"label":0,"time":1,"x":0.5}')
    dataset = folder.found()
    assert dataset.rows == FAR + 2
    values = [value for _, piece in dataset.batches(["x"], FAR - 1, FAR + 2) for value in piece["x"].to_pylist()]
    assert values == [None, 2, 0.5]


def test_json_types_that_do_not_fit(folder: Folder) -> None:
    """Numbers and texts in one column are told by its name."""
    folder.add("a.jsonl", lines(["1"] * FAR + ['"a"']))
    with pytest.raises(DataError, match=r"x is int64 in some rows and string in others|Column\(/x\) changed from"):
        folder.found()


def test_half_a_file(folder: Folder) -> None:
    """What was cut is no readable file, and gets no keys."""
    for name, body in (
        ("a.csv", csv(["1"])[:-5]),
        ("a.jsonl", lines(["1"])[:-5]),
        ("a.csv.gz", gzip.compress(csv(["1"] * 99).encode(), mtime=0)[:-9]),
    ):
        folder.add(name, body)
        with pytest.raises(DataError, match=f"{name} is not a readable (CSV|JSON lines) file"):
            folder.found(uri=str(folder.data / name))


@pytest.mark.parametrize(
    ("name", "text", "row"),
    [
        ("a.csv", csv(["1"] * FAR + ["2,3"] + ["4"] * FAR), FAR + 1),
        ("a.csv", csv(['"1\n\n2"'] * 3 + ["2,3"]), 4),
        ("a.jsonl", lines(["1"] * FAR + ["tru"] + ["4"] * FAR), FAR + 1),
        ("a.jsonl", "\n" + lines(["1"] * FAR + ['"2"'] + ["4"] * FAR), FAR + 1),
        ("a.jsonl", lines(['"a"'] * FAR + ['"\xfc"']).encode("latin-1"), FAR + 1),
    ],
)
def test_a_row_that_cannot_be_read_is_told_with_its_number(folder: Folder, name: str, text: str, row: int) -> None:
    """The first is row 1, whatever lines there are, and however far behind it is."""
    folder.add(name, text)
    assert f": row {row}: " in folder.wrong()


@pytest.mark.parametrize("role", ["x", "time", "label"])
def test_a_csv_has_no_binary_columns(folder: Folder, role: str) -> None:
    """What is not UTF-8 is told so with its row, whatever the column is for."""
    cells = {"time": "2024-01-01", "x": "a", "label": "no"}
    good, bad = (",".join((cells | more).values()) for more in ({}, {role: "sch\xf6n"}))
    folder.add("a.csv", f"time,x,label\n{good}\n{bad}\n".encode("latin-1"))
    told = folder.wrong(unit=None)
    assert rf"{role} is not UTF-8 in {folder.data}/a.csv: row 2 is b'sch\xf6n'; if it is written in another" in told


def test_an_empty_cell_is_a_null_in_each_column(folder: Folder) -> None:
    """And so is what stands for one; in JSON lines an empty text is a text."""
    folder.add("a.csv", csv(["a", "", "NA", "null", " "]))
    folder.add("b.jsonl", lines(['""', "", '"NA"']))
    assert folder.values("x") == ["a", None, None, None, " ", "", None, "NA"]


@pytest.mark.parametrize(
    ("first", "later", "shown"),
    [
        (["1", ""], ["2"] * FAR + ["?"], f"row {FAR + 1} is '?'"),
        (["2024-01-01"], ["2024-01-02T10:00", "soon"], "row 2 is 'soon'"),
        (["true"], ["no"], "row 1 is 'no'"),
    ],
)
def test_the_first_value_that_does_not_fit_is_shown(
    folder: Folder, first: list[str], later: list[str], shown: str
) -> None:
    """One among thousands is hard to find."""
    folder.add("a.csv", csv(first))
    folder.add("b.csv", csv(later))
    assert f"x is string in {folder.data}/b.csv ({shown}), but " in folder.wrong()
