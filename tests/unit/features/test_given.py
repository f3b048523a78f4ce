"""Rows in whatever users hold them: the same predictions as of the dataset's own table, to the byte, or a sentence."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from workplace import PROJECT, environment

from shared.config.pipeline import Component
from shared.errors import DataError
from tests.unit.training.memory_dataset import MemoryDataset
from tests.unit.training.samples import digits, flights, job, model, names, prices, run, training
from workers.inference import load_model_bytes

ROWS = 20


def trained(folder, dataset, **changes):
    """A model of the dataset, and the dataset's first rows as Arrow."""
    return load_model_bytes(run(job(folder, dataset, **changes)).body), dataset.table.slice(0, ROWS)


@pytest.fixture(scope="module")
def flown(tmp_path_factory):
    """A model of two numbers and a text."""
    return trained(tmp_path_factory.mktemp("flown"), flights())


def fields(table):
    """A numpy array with named fields, in the byte order of other machines, in another order of columns."""
    array = np.zeros(table.num_rows, dtype=[("origin", "U3"), ("delay", ">f8"), ("wind", ">f8"), ("note", "i2")])
    for name in ("origin", "delay", "wind"):
        array[name] = table.column(name).to_numpy(zero_copy_only=False)
    return array


def frame_with_an_index(table):
    """A frame with categories, an index that is no count, and its columns turned round."""
    frame = table.to_pandas().iloc[:, ::-1]
    return frame.astype({"origin": "category"}).set_index(pd.Index([7] * len(frame), name="row"))


class Stream:
    """What other libraries' tables look like: nothing but Arrow's interface."""

    def __init__(self, table):
        self.__arrow_c_stream__ = table.__arrow_c_stream__


KINDS = {
    "record batch": lambda table: table.to_batches()[0],
    "arrow's interface": Stream,
    "frame": lambda table: table.to_pandas(),
    "frame with an index": frame_with_an_index,
    "frame of objects": lambda table: table.to_pandas().astype(object),
    "frame of nullable types": lambda table: table.to_pandas().convert_dtypes(),
    "frame of Arrow's types": lambda table: table.to_pandas().convert_dtypes(dtype_backend="pyarrow"),
    "dict of lists": lambda table: table.to_pydict(),
    "dict of arrays": lambda table: {name: table.column(name).to_numpy() for name in table.column_names},
    "dict of Series": lambda table: dict(table.to_pandas().items()),
    "dict of Arrow's columns": lambda table: dict(zip(table.column_names, table.columns, strict=True)),
    "list of dicts": lambda table: table.to_pylist(),
    "records": lambda table: table.to_pandas().to_records(),
    "named fields": fields,
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_rows_get_the_same_predictions(flown, kind):
    """Whatever holds them, to the byte."""
    loaded, table = flown
    assert loaded.predict(KINDS[kind](table)).tobytes() == loaded.predict(table).tobytes()


def test_one_row_is_a_dict_of_its_values(flown):
    """Or a numpy record, or a Series as a dict; other values that it has are ignored, lists too."""
    loaded, table = flown
    one = loaded.predict(table.slice(3, 1))
    assert one.shape == (1, 2)
    for row in (table.to_pylist()[3] | {"tags": ["a", "b"]}, fields(table)[3], table.to_pandas().iloc[3].to_dict()):
        assert loaded.predict(row).tobytes() == one.tobytes()
    assert loaded.predict_labels(table.to_pylist()[3]).tolist() == loaded.predict_labels(table.slice(3, 1)).tolist()


NOTHING = [None, float("nan"), pd.NA, np.nan]


@pytest.mark.parametrize(
    "hold",
    [
        lambda columns: columns,
        lambda columns: [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)],
        pd.DataFrame,
        lambda columns: pd.DataFrame(columns).convert_dtypes(),
        lambda columns: pd.DataFrame(columns, dtype=object),
    ],
)
def test_whatever_says_that_there_is_nothing_is_a_null(flown, hold):
    """None, NaN and NA, in columns of them alone, too, mean what a null means in the dataset."""
    loaded, _ = flown
    holes = {"wind": [1.0, *NOTHING], "delay": [None] * 5, "origin": ["JFK", *NOTHING]}
    table = pa.table({"wind": [1.0, *[None] * 4], "delay": pa.nulls(5), "origin": ["JFK", *[None] * 4]})
    assert loaded.predict(hold(holes)).tobytes() == loaded.predict(table).tobytes()
    alone = {"wind": [2.0], "delay": [0.0], "origin": [np.nan]}
    assert loaded.predict(hold(alone)).tobytes() == loaded.predict(pa.table(alone | {"origin": pa.nulls(1)})).tobytes()


def test_masked_values_are_nulls(flown):
    """Of numpy's arrays with a mask."""
    loaded, _ = flown
    masked = {"wind": np.ma.array([1.0, 9.0], mask=[False, True]), "delay": [0.0, 0.0], "origin": ["JFK", "JFK"]}
    assert loaded.predict(masked).tobytes() == loaded.predict(pa.table(masked | {"wind": [1.0, None]})).tobytes()


def test_a_row_may_lack_a_value_that_others_have(flown):
    """It is a null, as in JSON lines."""
    loaded, _ = flown
    rows = [{"wind": 1.0, "delay": 2, "origin": "JFK"}, {"delay": 2.5}]
    table = pa.table({"wind": [1.0, None], "delay": [2, 2.5], "origin": ["JFK", None]})
    assert loaded.predict(rows).tobytes() == loaded.predict(table).tobytes()


@pytest.mark.parametrize("rows", [[], pd.DataFrame({"wind": [], "delay": [], "origin": []})])
def test_no_rows_no_predictions(flown, rows):
    """They are no error."""
    assert flown[0].predict(rows).shape == (0, 2)


WRONG = {
    "columns that are missing": (
        {"wind": [1]},
        r"lack 'delay', 'origin'\. They have wind; the model reads wind, delay",
    ),
    "values that are missing": ([{"wind": 1.0}], r"lack 'delay', 'origin'"),
    "columns in the index": (pd.DataFrame({"wind": [1.0]}).set_index("wind"), r"wind is in .* frame\.reset_index\(\)"),
    "one value beside several": ({"wind": 1, "delay": [1, 2], "origin": "a"}, r"'wind' is one value, and 'delay' has"),
    "lengths": ({"wind": [1, 2], "delay": [1], "origin": ["a", "b"]}, r"wind 2, delay 1, origin 2"),
    "a mixed column": ({"wind": ["a", 2], "delay": [1, 2], "origin": ["a", "b"]}, r"'wind' is no column of one kind"),
    "texts for numbers": ({"wind": "a", "delay": 1, "origin": "a"}, r"'wind' is of type string at key 0"),
    "numbers too large": ({"wind": 10**30, "delay": 1, "origin": "a"}, r"'wind' is no column of one kind"),
    "a column of columns": ({"wind": np.zeros((2, 1)), "delay": [1, 2], "origin": ["a", "b"]}, r"'wind' is no column"),
    "one name twice": (pd.DataFrame([[1, 2]], columns=["wind", "wind"]), r"Several columns are called 'wind'"),
    "lists of values": ([[1.0, 2.0, "JFK"]], r"Row 0 of the list is a list, not a dict"),
    "a text": ("wind", r"The rows are a str\. Hand over a pyarrow Table .* a pandas DataFrame"),
    "a column": (pa.array([1.0]), r"The rows are a DoubleArray\. Hand over"),
    "a Series": (pd.Series({"wind": 1.0}), r"row\.to_dict\(\)"),
    "a bare array": (np.zeros((2, 3)), r"reads texts \(origin\)\. Hand over a dict"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_rows_is_told(flown, wrong):
    """In a sentence that says what would be; by both ways of predicting."""
    rows, told = WRONG[wrong]
    for predict in (flown[0].predict, flown[0].predict_labels):
        with pytest.raises(DataError, match=told):
            predict(rows)


def test_names_that_are_numbers_are_their_text(tmp_path):
    """As in the Parquet file that was written from such a frame."""
    numbered = MemoryDataset(flights().table.rename_columns(["0", "1", "2", "label"]))
    loaded, table = trained(tmp_path, numbered)
    frame = table.to_pandas().rename(columns=lambda name: int(name) if name.isdigit() else name)
    assert loaded.predict(frame).tobytes() == loaded.predict(table).tobytes()


def test_a_bare_array_has_the_columns_in_the_order_of_the_model(tmp_path):
    """Where all of them are numbers; of whatever width."""
    table = flights().table.drop_columns("origin").set_column(0, "wind", pa.array(np.arange(200) % 7))
    loaded, rows = trained(tmp_path, MemoryDataset(table))
    assert loaded.columns == ("wind", "delay")
    array = np.stack([rows.column(name).to_numpy() for name in loaded.columns], axis=1)
    for same in (array, array.astype(object), np.asfortranarray(array), array.astype(">f8")):
        assert loaded.predict(same).tobytes() == loaded.predict(rows).tobytes()
    narrow = rows.set_column(1, "delay", rows.column("delay").cast(pa.float32()))
    assert loaded.predict(array.astype(np.float32)).tobytes() == loaded.predict(narrow).tobytes()
    whole = loaded.predict(np.array([[1, 2]], dtype=np.uint8))
    assert whole.tobytes() == loaded.predict({"wind": 1.0, "delay": 2.0}).tobytes()
    for wrong, told in ((array[:, :1], r"\(20, 1\).*order: wind, delay\."), (array[0], r"One row is array\[numpy")):
        with pytest.raises(DataError, match=told):
            loaded.predict(wrong)


def test_images_come_as_bytes_or_pixels(tmp_path):
    """One after the other or stacked, with the channel or, where it is alone, without."""
    loaded, table = trained(tmp_path, digits())
    raw = table.column("picture").to_pylist()
    pixels = np.stack([np.frombuffer(image, np.uint8) for image in raw])
    square = pixels.reshape(-1, 8, 8)
    columns = [raw, pixels, square, pixels.reshape(-1, 1, 8, 8).astype(int), list(square), square.tolist()]
    columns += [np.array(raw, dtype=object), np.array(raw, "S64"), pixels.view("V64")[:, 0], [*map(bytearray, raw)]]
    rows = [*({"picture": column} for column in columns), [{"picture": image.tolist()} for image in square]]
    rows += [table.to_pandas(), pd.DataFrame({"picture": list(pixels)}), pd.DataFrame({"picture": list(square)})]
    rows += [np.array([(image,) for image in pixels], dtype=[("picture", np.uint8, (64,))])]
    for one in rows:
        assert loaded.predict(one).tobytes() == loaded.predict(table).tobytes()
    first = loaded.predict(table.slice(0, 1)).tobytes()
    for image in (raw[0], pixels[0], square[0], square[0].tolist()):
        assert loaded.predict({"picture": image}).tobytes() == first
    black = loaded.predict({"picture": [None, raw[0]]})
    assert np.array_equal(black, loaded.predict(pa.table({"picture": [None, raw[0]]})))
    assert loaded.predict({"picture": []}).shape == (0, 2)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (np.zeros((2, 64), np.uint8), r"reads images \(picture\)"),
        ({"picture": np.zeros((2, 8, 8))}, r"pixels of float64.*from 0 to 255"),
        ({"picture": [[0.5] * 64]}, r"pixels of float64"),
        ({"picture": np.zeros((2, 4, 16), np.uint8)}, r"shape \[2, 4, 16\]; an image is \[1, 8, 8\]"),
        ({"picture": [np.zeros((8, 8, 3), np.uint8), None]}, r"shape \[8, 8, 3\]"),
        ({"picture": np.full((1, 64), 256)}, r"not a whole number from 0 to 255"),
        ({"picture": [b"short"]}, r"at key 0 has 5 bytes"),
        ({"picture": ["a text"]}, r"of type string"),
    ],
)
def test_what_is_no_image_is_told(tmp_path_factory, rows, told):
    """With the shape that is wanted."""
    loaded, _ = trained(tmp_path_factory.mktemp("digits"), digits())
    with pytest.raises(DataError, match=told):
        loaded.predict(rows)


def test_texts_come_in_a_column(tmp_path):
    """Of a model that reads one text."""
    loaded, table = trained(tmp_path, names(), model=model("text_bag"))
    for rows in (table.to_pandas(), table.to_pydict(), {"name": np.array(table.column("name"))}):
        assert loaded.predict(rows).tobytes() == loaded.predict(table).tobytes()
    assert loaded.predict({"name": "maria"}).tobytes() == loaded.predict(table.slice(0, 1)).tobytes()
    with pytest.raises(DataError, match=r"reads texts \(name\)"):
        loaded.predict(np.array([["maria"]]))


def test_times_come_as_their_owner_has_them(tmp_path):
    """With a zone or without, in any unit, as Python's, numpy's, pandas' or text."""
    base = prices().table
    hours = pa.array(np.arange(base.num_rows) * 3_600_000_000 + 1_700_000_000_000_000, pa.timestamp("us"))
    dataset = MemoryDataset(base.append_column("time", hours), time_features=("hour",))
    fit = training(loss=Component(name="MSELoss", config={}))
    loaded, table = trained(tmp_path, dataset, model=model(num_classes=1), training=fit)
    assert loaded.columns == ("size", "time")
    frame, size = table.to_pandas(), table.column("size").to_pylist()
    naive = table.column("time").to_pylist()
    aware = [moment.replace(tzinfo=dt.UTC) for moment in naive]
    times = [naive, aware, [moment.isoformat() for moment in naive], np.array(naive, "datetime64[ns]")]
    times += [frame["time"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo"), list(frame["time"])]
    for one in (frame, *({"size": size, "time": time} for time in times)):
        assert loaded.predict(one).tobytes() == loaded.predict(table).tobytes()
    with pytest.raises(DataError, match=r"'time' is null at key 0"):
        loaded.predict(pd.DataFrame({"size": [1.0], "time": [pd.NaT]}))
    with pytest.raises(DataError, match=r"reads times \(time\)"):
        loaded.predict(np.zeros((1, 2)))


_WITHOUT_PANDAS = """
import sys

class NotInstalled:
    def find_spec(self, name, *_):
        if name.partition(".")[0] == "pandas":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, NotInstalled())
from workers.inference import load_model_bytes
model = load_model_bytes(sys.stdin.buffer.read())
print(model.predict({"wind": [1.0], "delay": [2.0], "origin": ["JFK"]}).shape)
"""


def test_pandas_need_not_be_there(tmp_path):
    """A server without it predicts from all else."""
    command = [sys.executable, "-W", "error", "-c", _WITHOUT_PANDAS]
    body = run(job(tmp_path)).body
    done = subprocess.run(command, input=body, cwd=PROJECT, env=environment(), capture_output=True, check=True)
    assert done.stdout.split() == [b"(1,", b"2)"]
