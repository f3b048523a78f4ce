"""Rows of a dataset as rows of numbers: scaling, categories, images, texts, and what is refused."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from shared.config.system import ImageColumn
from shared.errors import ArtifactError, DataError
from tests.unit.training.memory_dataset import MemoryDataset
from tests.unit.training.samples import digits, flights, names
from workers.features.columns import column
from workers.features.encoder import fit_encoder, restore_encoder
from workers.features.labels import class_labels
from workers.features.matrix import encode_rows, model_input
from workers.features.moments import RunningMoments

IMAGE = ImageColumn(column="picture", shape=(1, 2, 2))


def encoder_for(dataset, max_chars=8):
    return fit_encoder(dataset, np.arange(dataset.rows), max_chars)


def encoded(dataset, first_key=0):
    return encoder_for(dataset).encode(dataset.table, np.arange(first_key, first_key + dataset.rows))


def table_of(**columns):
    return MemoryDataset(pa.table(columns))


@given(st.lists(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), min_size=1, max_size=6))
def test_moments_in_pieces_are_moments_of_the_whole(pieces):
    """However the rows are cut, mean and deviation are numpy's."""
    moments = RunningMoments(1)
    for piece in pieces:
        moments.add(np.array(piece)[:, None])
    whole = np.concatenate(pieces)
    assert moments.mean[0] == pytest.approx(whole.mean(), rel=1e-9, abs=1e-6)
    if whole.std() > 1e-3:
        assert moments.std[0] == pytest.approx(whole.std(), rel=1e-6)


def test_numbers_are_standardised():
    """Each numeric column of the training set has mean 0 and deviation 1."""
    rows = encoded(table_of(wind=np.arange(100), late=np.arange(100) % 2 == 0))
    assert rows.dtype == np.float32
    assert np.allclose(rows.mean(axis=0), 0, atol=1e-6)
    assert np.allclose(rows.std(axis=0), 1, atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e9, 7])
def test_a_constant_column_becomes_zero(value):
    """A column without information does not become rounding noise."""
    assert np.allclose(encoded(table_of(wind=[value] * 1000)), 0, atol=1e-6)


def test_texts_are_one_hot_in_sorted_order():
    """Categories are sorted, and each row has a 1 at its own."""
    rows = encoded(table_of(origin=["LGA", "EWR", "JFK", "EWR"]))
    assert rows.tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0], [1, 0, 0]]


def test_an_unknown_category_is_all_zero():
    """What the first training set did not have is no category."""
    encoder = encoder_for(table_of(origin=["LGA", "EWR"]))
    assert not encoder.encode(pa.table({"origin": ["SFO"]}), np.array([5])).any()


def test_dictionary_columns_are_texts():
    """A column that Parquet keeps as a dictionary is encoded as the texts it stands for."""
    texts = pa.array(["LGA", "EWR"]).dictionary_encode()
    assert encoded(table_of(origin=texts)).tolist() == [[0, 1], [1, 0]]


def test_infinity_names_column_and_key():
    """It ends with the column and the key, not with a model of NaN."""
    with pytest.raises(DataError, match="'wind' is inf at key 2"):
        encoded(table_of(wind=[1.0, 2.0, float("inf")]))


def test_a_value_too_large_for_float32_is_refused():
    """A row far outside the training set is an error by key, not an infinity."""
    encoder = encoder_for(table_of(wind=[0.0, 1.0]))
    with pytest.raises(DataError, match="key 41"):
        encoder.encode(pa.table({"wind": [0.0, 1e300]}), np.array([40, 41]))


MOMENTS = [0, 86_400_000, 129_600_000]  # 0, 1 and 1.5 days, in milliseconds


@pytest.mark.parametrize(
    "type_",
    [pa.timestamp("s"), pa.timestamp("ms", "America/New_York"), pa.timestamp("us"), pa.timestamp("ns"), pa.date64()],
)
def test_moments_are_days(type_):
    """However a date or a timestamp is written, it is the same number."""
    unit = type_ if pa.types.is_timestamp(type_) else pa.timestamp("ms")
    moments = pa.array(MOMENTS, pa.timestamp("ms")).cast(unit).cast(type_)
    whole_days = pa.types.is_date(type_)
    assert column(pa.table({"day": moments}), "day").to_pylist() == [0, 1, 1 if whole_days else 1.5]
    rows = encoded(table_of(day=pa.array([0, 1, 2], pa.date32())))
    assert rows[:, 0].tolist() == pytest.approx([-1.2247449, 0, 1.2247449])


@pytest.mark.parametrize(
    ("values", "types"),
    [
        (["b", "a", "b"], [pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]),
        ([1, 2, 4], [pa.uint64(), pa.float16(), pa.decimal128(21, 2), pa.decimal256(50, 0)]),
        ([1, 0, 1], [pa.bool_(), pa.dictionary(pa.int8(), pa.int16()), pa.dictionary(pa.int8(), pa.float32())]),
    ],
)
def test_a_value_is_the_same_in_every_type(values, types):
    """An encoder made of plain texts or numbers takes them in all other ways of writing them."""
    encoder, keys = encoder_for(table_of(x=values)), np.arange(3)
    expected = encoder.encode(pa.table({"x": values}), keys).tolist()
    for type_ in types:
        other = pa.array(values).cast(type_.value_type if pa.types.is_dictionary(type_) else type_)
        table = pa.table({"x": other.dictionary_encode() if pa.types.is_dictionary(type_) else other})
        assert encoder.encode(table, keys).tolist() == expected, type_


def test_lists_are_no_features():
    """What is neither number, text nor moment is refused with the remedy."""
    with pytest.raises(DataError, match="List the wanted columns with `features:`"):
        encoded(table_of(arrival=[[1], [2]]))


def test_a_missing_column_is_named():
    """Encoding a table without a column says which."""
    with pytest.raises(DataError, match="'origin' is missing"):
        encoder_for(flights()).encode(pa.table({"wind": [1.0], "delay": [1.0]}), np.array([0]))


def test_a_column_that_changes_its_type_is_refused():
    """A number where text was, or text where a number was, names the column."""
    with pytest.raises(DataError, match="'origin' is of type int64"):
        encoder_for(table_of(origin=["a"])).encode(pa.table({"origin": [1]}), np.array([0]))
    with pytest.raises(DataError, match="'wind' is of type string"):
        encoder_for(table_of(wind=[1.0])).encode(pa.table({"wind": ["a"]}), np.array([0]))


@pytest.mark.parametrize("dataset", [flights(), digits(), names()])
def test_an_encoder_comes_back_from_what_is_stored(dataset):
    """Description and tensors restore an encoder that encodes the same."""
    encoder = encoder_for(dataset)
    restored = restore_encoder(encoder.description, encoder.tensors())
    keys = np.arange(dataset.rows)
    assert np.array_equal(restored.encode(dataset.table, keys), encoder.encode(dataset.table, keys))


@pytest.mark.parametrize(
    "type_", [pa.binary(), pa.large_binary(), pa.binary(4), pa.list_(pa.uint8()), pa.list_(pa.int64(), 4)]
)
def test_images_are_bytes_or_lists(type_):
    """Whatever type holds the pixels, also in a slice, the row is the same."""
    binary = "binary" in str(type_)
    images = pa.array([bytes(row) if binary else row for row in ([9, 9, 9, 9], [0, 1, 2, 255])], type_)
    table = pa.table({"picture": images}).slice(1)
    rows = encoder_for(MemoryDataset(table, image=IMAGE)).encode(table, np.array([1]))
    assert rows.tolist() == [[0, 1, 2, 255]]


def test_an_image_of_another_size_names_its_key():
    """Bytes that do not fill the declared shape are refused."""
    table = pa.table({"picture": [b"1234", b"123"]})
    with pytest.raises(DataError, match=r"key 11 has 3 bytes.*\[1, 2, 2\] needs 4"):
        encoder_for(MemoryDataset(table, image=IMAGE)).encode(table, np.array([10, 11]))


def test_pixels_beyond_a_byte_are_refused():
    """A list with 256 in it is no image."""
    table = pa.table({"picture": [[0, 1, 2, 256]]})
    with pytest.raises(DataError, match="0 to 255"):
        encoder_for(MemoryDataset(table, image=IMAGE)).encode(table, np.array([0]))


@given(st.lists(st.text(max_size=12), min_size=1, max_size=8), st.integers(1, 12))
def test_texts_are_their_utf8_bytes_cut_or_padded(texts, max_chars):
    """A row is the text's bytes, cut to the length or padded with 0; a NUL inside reads as a space."""
    texts = [text.encode("utf-8", "ignore").decode() for text in texts]
    table = pa.table({"name": pa.array(texts, pa.string())})
    rows = encoder_for(MemoryDataset(table, text="name"), max_chars).encode(table, np.arange(len(texts)))
    expected = [text.encode().replace(b"\0", b" ")[:max_chars].ljust(max_chars, b"\0") for text in texts]
    assert [row.tobytes() for row in rows] == expected


def test_the_rows_of_the_keys_are_encoded(tmp_path):
    """The matrix on disk holds the rows asked for and no others, with their labels."""
    dataset = flights()
    keys = np.array([3, 77, 150])
    encoder = encoder_for(dataset)
    data = encode_rows(dataset, keys, encoder, lambda values, keys: class_labels(values, "label", keys, 2), tmp_path)
    assert np.array_equal(data.features.numpy(), encoder.encode(dataset.table.take(pa.array(keys)), keys))
    assert data.labels.tolist() == dataset.table.column("label").to_numpy()[keys].tolist()


def test_a_scratch_disk_that_takes_nothing_is_no_failure_of_the_pipeline(tmp_path):
    """It is told as what --resume can go on from."""
    dataset = flights()
    (tmp_path / "file").touch()
    with pytest.raises(ArtifactError, match="Make room there"):
        encode_rows(dataset, np.array([3]), encoder_for(dataset), lambda values, keys: values, tmp_path / "file" / "x")


def test_a_batch_of_images_is_floats_from_0_to_1():
    """Bytes become floats in the declared shape only when a batch of them is needed."""
    rows = torch.tensor([[0, 51, 102, 255]], dtype=torch.uint8)
    inputs = model_input(rows, encoder_for(MemoryDataset(pa.table({"picture": [b"1234"]}), image=IMAGE)))
    assert inputs.shape == (1, 1, 2, 2)
    assert inputs.flatten().tolist() == pytest.approx([0, 0.2, 0.4, 1])


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ([0, 1, 2], "key 12 is 2.*classes 0 to 1.*num_classes to 3"),
        ([0, -1], "key 11 is -1.*from 0"),
        ([0.0, 0.5], "key 11 is 0.5.*MSELoss"),
        ([0, None], "null at key 11"),
        ([0.0, float("nan")], "nan at key 11"),
        (["yes", "no"], "type string, but the model knows classes by number"),
    ],
)
def test_labels_that_are_no_class_name_key_and_remedy(labels, sentence):
    """Each kind of wrong label has its sentence."""
    values = pa.array(labels, from_pandas=False)
    with pytest.raises(DataError, match=sentence):
        class_labels(values, "label", np.arange(10, 10 + len(values)), classes=2)


@pytest.mark.parametrize("labels", [[0, 1], [0.0, 1.0], [False, True], [Decimal("0.0"), Decimal("1.0")]])
def test_whole_numbers_of_any_type_are_classes(labels):
    """Integers, whole floats and decimals, and booleans are class numbers."""
    assert class_labels(pa.array(labels), "label", np.arange(2), classes=2).tolist() == [0, 1]


def test_a_number_too_large_to_be_scaled():
    """A number whose square is no float is told by column and key."""
    with pytest.raises(DataError, match="Column 'wind' is 1e\\+300 at key 1, too large; rescale the column"):
        encoder_for(table_of(wind=[1.0, 1e300]))
