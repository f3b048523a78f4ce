"""Before a run people see what a dataset holds, and which of its columns look like leaks, indices and the like."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.config.system import Dataset, ImageColumn, Nulls
from shared.dataset.discovery import discover
from shared.dataset.survey.distinct import Uniqueness
from shared.dataset.survey.survey import survey
from shared.dataset.survey.understood import understand
from shared.dataset.survey.values import values_of
from shared.dataset.table import open_dataset

NAN = float("nan")
START_S = 1_356_998_400  # of 2013
NOISE = np.random.default_rng(0).integers(0, 50, 40).tolist()  # 40 rows like which no index and no leak looks


def dataset_in(folder, files, **changes):
    """A dataset of files with these columns, by name; hourly, with labels 0 and 1."""
    hour = 0
    for name, columns in files.items():
        rows = len(next(iter(columns.values())))
        table = {
            "time": [START_S + 3600 * (hour + row) for row in range(rows)],
            "label": [row % 2 for row in range(rows)],
        }
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({**table, **columns}), folder / f"{name}.parquet", row_group_size=3)
        hour += rows
    values = {"timestamp": "time", "unit": "s", "label": "label", "features": None, "image": None, "text": None}
    config = Dataset(**{"name": "rows", "kind": "table", "uri": str(folder), **values, **changes})
    return open_dataset(config, discover(config, str(folder / "runs")))


@pytest.fixture
def of(tmp_path):
    """A dataset of files with these columns, in this order."""

    def dataset_of(*files, **changes):
        return dataset_in(tmp_path / "data", {str(number): one for number, one in enumerate(files)}, **changes)

    return dataset_of


def warnings(dataset):
    """What looks wrong."""
    return [sentence.removeprefix("dataset rows: ") for sentence in understand(survey(dataset))[1]]


def features(dataset):
    """Name → what is shown of it."""
    return {one.name: one for one in understand(survey(dataset))[0].features}


def test_nothing_is_said_of_columns_that_are_as_they_should_be(of):
    """Neither of one that begins with some alike."""
    assert (
        warnings(of({"x": [*[1] * 19, *range(20), 1], "origin": ["LGA", "JFK", "JFK", "LGA"] * 10, "y": NOISE})) == []
    )


def test_rows_files_and_times(of):
    """How many of each, what they span, and how late the latest row is."""
    dataset = of({"time": [START_S, START_S + 7200, START_S + 3600]}, {"time": [START_S + 7300, START_S + 100]})
    found = understand(survey(dataset))[0]
    assert (found.rows, found.files, found.pieces) == (5, 2, 2)
    assert (found.first_timestamp, found.last_timestamp) == (
        "2013-01-01T00:00:00.000000Z",
        "2013-01-01T02:01:40.000000Z",
    )
    assert (found.late_rows, found.late_by_s, found.misdated_rows) == (2, 7200.0, 0)
    assert found.size_bytes > 1000


def test_each_feature_is_shown_with_what_becomes_of_it(of):
    """Types as in the files, nulls (NaN is one), range, how many are different; docs/data.md has the words."""
    moments = [dt.date(2024, 1, 1), dt.date(2023, 1, 1), None]
    first = {
        "x": [1, 2, None],
        "origin": ["LGA", "EWR", "LGA"],
        "day": moments,
        "z": [5.0] * 3,
        "price": [Decimal("1.50")] * 3,
    }
    second = {
        "x": [0.5, NAN],
        "origin": ["LGA", None],
        "day": moments[:2],
        "z": [5.0, NAN],
        "price": [Decimal("2.25")] * 2,
    }
    found = features(of(first, second))
    shown = {
        name: (one.types, one.nulls, one.minimum, one.maximum, one.distinct, one.becomes) for name, one in found.items()
    }
    assert shown == {
        "x": (("int64", "double"), 2, 0.5, 2, 3, "scaled"),
        "origin": (("string",), 1, None, None, 2, "one-hot, 2 categories"),
        "day": (
            ("date32[day]",),
            1,
            "2023-01-01T00:00:00.000000Z",
            "2024-01-01T00:00:00.000000Z",
            2,
            "days since 1970, scaled",
        ),
        "z": (("double",), 1, 5.0, 5.0, 1, "constant, 0 until it varies"),
        "price": (("decimal128(3, 2)",), 0, 1.5, 2.25, 2, "scaled"),
    }
    assert [found[name].nulls_become for name in ("x", "origin", "price")] == ["the mean", "all zero", None]


def test_the_other_inputs(of):
    """Indicators, a column of nulls alone, an image and a text."""
    columns = {"x": [1.0, None], "n": pa.nulls(2), "picture": [b"1", None], "note": [None, "a"]}
    table = features(of(columns, features=("x", "n"), nulls=Nulls(indicator=True)))
    assert table["x"].becomes == "constant, 0 until it varies; and 1 where null"
    assert table["n"].becomes == "0, as all are null; and 1 where null"
    image = features(of(columns, image=ImageColumn(column="picture", shape=(1, 2, 3))))["picture"]
    assert (image.becomes, image.nulls, image.nulls_become) == ("image 1×2×3, divided by 255", 1, "black")
    text = features(of(columns, text="note"))["note"]
    assert (text.becomes, text.nulls_become) == ("text, its first max_chars bytes", "empty")


def test_what_is_seen_of_time_stands_among_the_features(of):
    """Behind the columns, from the first to the last timestamp as they stand, late ones too; else it is none."""
    columns = {"time": [START_S + 7200, START_S, START_S + 3600], "x": [1, 2, 3]}
    found = features(of(columns, time_features=("hour", "month"), zone="Europe/Zurich"))
    assert list(found) == ["x", "time"]
    told = found["time"]
    assert (told.types, told.nulls, told.nulls_become, told.distinct, told.folder) == (("int64",), 0, None, None, False)
    assert (told.minimum, told.maximum) == ("2013-01-01T00:00:00.000000Z", "2013-01-01T02:00:00.000000Z")
    assert told.becomes == "hour, month of Europe/Zurich, as sine and cosine"
    alone = of(columns, features=(), time_features=("weekday",))
    assert [(one.name, one.becomes) for one in features(alone).values()] == [("time", "weekday, as sine and cosine")]
    assert warnings(alone) == []
    assert list(features(of(columns))) == ["x"]


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([2, 1, 2, 2], [(2, 3, 0.75), (1, 1, 0.25)]),
        (["no", "yes", "no", None], [("no", 2, 2 / 3), ("yes", 1, 1 / 3)]),
        (pa.array(["no", "yes", "no", "no"]).dictionary_encode(), [("no", 3, 0.75), ("yes", 1, 0.25)]),
        ([True, False, True, True], [(1, 3, 0.75), (0, 1, 0.25)]),
        ([1.0, 0.0, None, NAN], [(0, 1, 0.5), (1, 1, 0.5)]),
    ],
)
def test_classes_of_the_label(of, labels, classes):
    """The commonest first, with rows and share; whole numbers, booleans and texts, in any type that holds them."""
    label = understand(survey(of({"label": labels}, nulls=Nulls(labels="drop"))))[0].label
    assert [(one.label, one.rows, one.share) for one in label.classes] == classes
    assert (label.mean, label.std) == (None, None)


@pytest.mark.parametrize("labels", [[0.5, 1.5, 4.0], list(range(2_000))])
def test_labels_that_are_no_classes(of, labels):
    """Fractions, or very many: their range, mean and deviation."""
    label = understand(survey(of({"label": labels})))[0].label
    assert (label.classes, label.minimum, label.maximum) == (None, min(labels), max(labels))
    assert (label.mean, label.std) == (pytest.approx(np.mean(labels)), pytest.approx(np.std(labels)))


LIST_THEM = "All columns are features unless `features:` in config.yaml lists those that are to be used."
INDEX = [7 * row for row in range(40)]
YES = ["yes" if row % 2 else "no" for row in range(40)]


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"__index_level_0__": NOISE}, "__index_level_0__: named as pandas names the index of a table. "),
        ({"Unnamed: 0": NOISE}, "Unnamed: 0: named as pandas names the index of a table. "),
        ({"": NOISE}, "a column without a name: named as pandas names the index of a table. "),
        ({"code": [str(one) for one in INDEX]}, "code: unique per row, looks like an identifier. "),
        ({"row": INDEX[::-1]}, "row: unique per row, looks like an identifier. "),
        ({"row": INDEX}, "row: unique per row, looks like an identifier; only grows from row to row,"),
        ({"time_s": [0.5, *INDEX[1:]]}, "time_s: only grows from row to row, so that later rows leave the range"),
        ({"y": [row % 2 for row in range(40)]}, "y: equals the label in every row, a leak. "),
        ({"y": YES}, "y: goes with the label one to one, a leak. "),
        ({"y": [1 - row % 2 for row in range(40)]}, "y: goes with the label one to one, a leak. "),
        ({"label": YES, "y": YES}, "y: equals the label in every row, a leak. "),
        ({"label": [one / 3 for one in NOISE], "y": [7.5 - one for one in NOISE]}, "y: goes with the label one to"),
        ({"c": [f"c{row % 1_500}" for row in range(16_000)]}, "c: 1,500 different texts, each an input of its own. "),
        ({"c": [f"{row % 10_001}" for row in range(20_000)]}, "c: more than 10,000 different texts, and"),
    ],
)  # fmt: skip
def test_columns_that_look_like_leaks_and_indices(of, columns, told):
    """Each is named with what was seen and the remedy, in one sentence."""
    (sentence,) = warnings(of(columns, nulls=Nulls(labels="drop")))
    assert sentence.startswith(told)
    assert sentence.endswith(LIST_THEM)


def test_dates_and_folders_that_became_features(tmp_path):
    """Unless `features:` lists them; a copy of the timestamp is told as such."""
    times = pa.array([10**6 * (START_S + 3600 * row) for row in range(40)], pa.timestamp("us"))
    days = pa.array(NOISE, pa.date32())
    columns = {"copy": times, "born": days}
    first = {name: one[:20] for name, one in columns.items()}
    second = {name: one[20:] for name, one in columns.items()}
    files = {"day=1/a": first, "day=2/b": second}
    dataset = dataset_in(tmp_path / "data", files)
    copy, born, day = warnings(dataset)
    assert copy.startswith("copy: holds times, and became a feature, as days since 1970; equals the timestamp in every")
    assert born.startswith("born: holds times, and became a feature, as days since 1970. ")
    assert day.startswith("day: stands in the names of folders, and became a feature. ")
    assert features(dataset)["day"].folder
    listed, constant = warnings(dataset_in(tmp_path / "data", files, features=("copy", "born", "day")))
    assert (
        listed
        == "copy: equals the timestamp in every row. Take it out of `features:` in config.yaml unless it is meant."
    )
    assert constant.startswith("day: 1 in the first 20 of 40 rows; ")


def test_few_rows_say_nothing(of):
    """Two rows are always unique, and go with the label one to one."""
    assert warnings(of({"x": [1, 2], "y": ["a", "b"]})) == []


@pytest.mark.parametrize(("z", "same"), [([NAN, *[5.0] * 20, None, 7.0], 22), ([5] * 22 + [6], 22)])
def test_a_column_that_is_constant_at_first(of, z, same):
    """Its value, and for how many rows; nulls do not vary."""
    (line,) = [one for one in warnings(of({"z": z[:4]}, {"z": z[4:]})) if "in the first" in one]
    first = f"null or {z[1]}" if z[0] is NAN else z[1]
    assert line == f"z: {first} in the first {same} of 23 rows; a model learns nothing of a column until it varies."


def test_what_a_column_begins_with_is_shown_as_it_is(of):
    """Nulls before the first value, and times as times."""
    day = dt.date(2025, 3, 2)
    dataset = of({"late": [*[None] * 25, *NOISE[25:]], "day": [*[day] * 30, *[day.replace(day=3)] * 10]})
    found = [one for one in warnings(dataset) if "until it varies" in one]
    assert found[0].startswith(f"late: null or {NOISE[25]} in the first 26 of 40 rows; a model")
    assert found[1].startswith("day: 2025-03-02T00:00:00.000000Z in the first 30 of 40 rows; a model")


def test_a_column_that_only_later_files_have_is_told(of):
    """It is no feature; where features are listed nobody asks for it."""
    files = [{"x": NOISE}, {"x": NOISE, "y": NOISE}, {"x": NOISE, "y": NOISE}]
    (line,) = warnings(of(*files))
    assert re.match(r"y is in 2 of 3 files, first in .*/1.parquet, and is no feature: the first file says which", line)
    assert [one for one in warnings(of(*files, features=("x",))) if one.startswith("y")] == []


def test_a_column_that_is_always_constant_is_shown_once(of):
    """In the table."""
    dataset = of({"z": [5] * 40})
    assert features(dataset)["z"].becomes == "constant, 0 until it varies"
    assert warnings(dataset) == []


def test_categories_that_come_late_are_shown(of):
    """The commonest by name, where they are more than five in a hundred rows; a null is none."""
    early, late = ["A", "B"] * 10, ["C", None, "D", "C"]
    (line,) = warnings(of({"region": early[:7]}, {"region": [*early[7:], *late]}))
    assert line.startswith("region: 3 of 24 rows have a category that first comes when a tenth of the rows is over: ")
    assert "'C' 2, 'D' 1; a model that goes on from one before it does not know it" in line


def test_few_rows_of_late_categories_are_not_worth_a_line(of):
    """The log of a run says them."""
    assert warnings(of({"region": ["A", "B", "A"] * 6}, {"region": ["C", *["A"] * 20]})) == []


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["20,53", "1,5", "1,234"], "120 of 120 texts are numbers with a decimal comma, such as '20,53', and each"),
        (["1,234", "12", "5,000"], "120 of 120 texts are numbers with thousands separators, such as '1,234', and each"),
        (
            ["1.234,50", "7", "8,5"],
            "120 of 120 texts are numbers with a decimal comma and thousands separators, such as",
        ),
        (["12 %", "3.5 %", "5 %"], "120 of 120 texts are numbers with %, such as '12 %', and each becomes a categ"),
        (["$ 3", "4.5 EUR", "1 €"], "120 of 120 texts are numbers with a currency, such as '$ 3', and each becomes"),
        (["-1.5", "2.25", "?"], "80 of 120 texts are numbers, and each becomes a category; the first other text is"),
        (["25", "137", "missing"], "the first other text is 'missing', in row 3 of"),
        (["25", "137", " "], "the first other text is ' ', in row 3 of"),
    ],
)
def test_numbers_that_are_texts_are_told_with_their_writing_and_what_is_none(of, texts, told):
    """With the row and the file of the first other text; nothing else is said of the column, as it would mislead."""
    (found,) = warnings(of({"x": texts}, {"x": texts * 39}))
    assert found.startswith("x: ")
    assert told in found
    assert ("0.parquet" in found) == ("other text" in found)
    assert "identifier" not in found


def test_one_text_among_many_different_numbers_is_found(of):
    """However many different texts a column has."""
    numbers = [f"{number / 7:.4f}" for number in range(12_000)]
    (found,) = warnings(of({"x": numbers}, {"x": ["1.5", "n.a."]}))
    assert "12,001 of 12,002 texts are numbers" in found
    assert re.search(r"the first other text is 'n.a.', in row 2 of .*/1.parquet. If they are meant as numbers", found)


def test_a_label_of_numbers_that_are_texts_is_told(of):
    """Each of them would be a class."""
    (found,) = warnings(of({"label": ["3,5", "4,5"] * 20, "x": NOISE}))
    assert found.startswith(
        "label: 40 of 40 texts are numbers with a decimal comma, such as '3,5', and each becomes a cl"
    )


@pytest.mark.parametrize(
    "texts",
    [
        ["01234", "9021", "?"],  # of places
        ["80331", "10115", "?"],
        ["8001", "8002", "-"],
        ["1", "2", "10"],  # stars, in words of somebody who knows why
        ["536365", "C536365", "71", "8"],  # bills
        ["1", "2", "PH"],  # floors
        ["1.2.3", "1.2", "2.0.1"],  # versions
        ["12:30", "1:15"],
        ["2,3,4", "1,2"],
        ["0x7f", "1e", "e5"],
    ],
)
def test_codes_are_not_taken_for_numbers(of, texts):
    """Of places, of things, and of classes."""
    assert not [one for one in warnings(of({"x": texts * 40})) if "are numbers" in one]


def test_infinity_and_a_single_label(of):
    """A training would end at the one, and learn nothing of the other."""
    single, infinite = warnings(of({"x": [*NOISE[:38], 1e300, float("inf")], "label": [1] * 40}))
    assert single == "label: the label is 1 in all 40 rows that have one, so there is nothing to learn."
    assert infinite.startswith(
        "x: 2 of 40 rows are infinite or beyond 1e150, at which a training ends, the first in row 39"
    )


def test_whole_numbers_of_all_sizes(of):
    """Small ones, negative ones and those that only uint64 holds, from file to file."""
    parts = [pa.array([-1, 2], pa.int8()), pa.array([2**64 - 1, 3], pa.uint64()), pa.array([True, None], pa.bool_())]
    (found,) = features(of(*({"x": part} for part in parts))).values()
    assert (found.types, found.minimum, found.maximum) == (("int8", "uint64", "bool"), -1, 2**64)


def test_identifiers_of_many_rows():
    """The first ones are compared with each other and with all later ones: memory stays bounded."""
    rows = Uniqueness.kept_rows + 100
    for last, holds in ((rows - 1, True), (5, False)):
        texts = pa.chunked_array([[str(row) for row in (*range(rows - 1), last)]])
        unique = Uniqueness()
        for start in range(0, rows, 100_000):
            unique.add(values_of(texts.slice(start, 100_000)))
        assert unique.holds == holds


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.integers(-5, 5), st.floats(-9, 9)), min_size=1, max_size=30),
    st.integers(1, 29),
)
def test_what_is_shown_is_what_the_rows_hold(tmp_path_factory, values, cut):
    """However they are cut into files and pieces."""
    folder, cut = tmp_path_factory.mktemp("rows"), min(cut, len(values))
    parts = [pa.array(part, pa.float64()) for part in (values[:cut], values[cut:]) if part]
    found = survey(dataset_in(folder, {str(number): {"x": part} for number, part in enumerate(parts)})).columns["x"]
    known = [float(value) for value in values if value is not None]
    assert (found.rows, found.nulls, found.distinct.count) == (len(values), values.count(None), len(set(known)))
    assert found.varies == (len(set(known)) > 1)
    assert found.grows == (found.varies and known == sorted(known))
    if known:
        assert (found.moments.minimum, found.moments.maximum) == (min(known), max(known))
        assert (found.moments.mean, found.moments.std) == (pytest.approx(np.mean(known)), pytest.approx(np.std(known)))
