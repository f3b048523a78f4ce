"""Nulls among features: filled in alike in training and later, counted, or refused by column and key."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from shared.config.system import ImageColumn
from shared.errors import DataError
from tests.unit.training.memory_dataset import MemoryDataset
from workers.features.encoder import fit_encoder, go_on_with, restore_encoder
from workers.features.fit_table import MAX_CATEGORIES
from workers.features.moments import RunningMoments
from workers.features.nulls import Met

NAN = float("nan")


def fitted(columns, **nulls):
    """A dataset of these columns, and an encoder that was fitted on all its rows."""
    dataset = MemoryDataset(pa.table(columns), **nulls)
    return dataset, fit_encoder(dataset, np.arange(dataset.rows), 4)


def rows_of(encoder, columns, met=None):
    """The rows of a table, encoded."""
    table = pa.table(columns)
    return encoder.encode(table, np.arange(table.num_rows), met).tolist()


def noted(encoder, columns):
    """What is noted of a training set of these rows."""
    table, met = pa.table(columns), Met()
    encoder.encode(table, np.arange(table.num_rows), met)
    met.note_rows(table.num_rows)
    return met.notes()


@pytest.mark.parametrize("wind", [[1.0, None, 3.0], [1.0, NAN, 3.0], [1, None, 3], [True, None, False]])
def test_a_null_number_is_the_mean(wind):
    """Of the values that are there, which also make mean and deviation; NaN is a null."""
    dataset, encoder = fitted({"wind": pa.array(wind, from_pandas=False)})
    low, null, high = encoder.encode(dataset.table, np.arange(3))[:, 0]
    assert sorted([low, high]) == [-1.0, 1.0]
    assert null == 0.0
    assert rows_of(encoder, {"wind": [None, NAN, 2.0 if wind[0] is not True else 0.5]}) == [[0.0], [0.0], [0.0]]


def test_a_null_text_is_all_zero():
    """Null is no category of its own, and not among those that are learned."""
    _, encoder = fitted({"origin": ["LGA", None, "EWR"]})
    assert encoder.description.categories == {"origin": ("EWR", "LGA")}
    assert rows_of(encoder, {"origin": ["LGA", None]}) == [[0, 1], [0, 0]]


def test_a_null_image_is_black_and_a_null_text_empty():
    """Models of images and of one text get zeros."""
    image = ImageColumn(column="picture", shape=(1, 1, 2))
    for kind in (pa.binary(), pa.list_(pa.uint8())):
        pictures = pa.array([[7, 9] if kind != pa.binary() else b"\7\11", None], kind)
        dataset = MemoryDataset(pa.table({"picture": pictures}), image=image)
        assert rows_of(fit_encoder(dataset, np.arange(2), 4), {"picture": pictures}) == [[7, 9], [0, 0]]
    dataset = MemoryDataset(pa.table({"name": ["a", None]}), text="name")
    assert rows_of(fit_encoder(dataset, np.arange(2), 2), {"name": [None, "a"]}) == [[0, 0], [97, 0]]


def test_a_table_of_nulls_alone_is_encoded():
    """Its columns have no type, as where one row is predicted of which little is known."""
    _, encoder = fitted({"wind": [1.0, 3.0], "origin": ["LGA", "EWR"]})
    assert rows_of(encoder, {"wind": [None], "origin": [None]}) == [[0, 0, 0]]
    image = ImageColumn(column="picture", shape=(1, 1, 2))
    pictures = MemoryDataset(pa.table({"picture": [b"12"]}), image=image)
    assert rows_of(fit_encoder(pictures, np.arange(1), 4), {"picture": [None]}) == [[0, 0]]
    names = MemoryDataset(pa.table({"name": ["a"]}), text="name")
    assert rows_of(fit_encoder(names, np.arange(1), 2), {"name": [None]}) == [[0, 0]]


@pytest.mark.parametrize("columns", [{"wind": [1.0, None]}, {"wind": [1.0, NAN]}, {"wind": ["a", None]}])
def test_a_null_is_refused_where_it_is_to_be(columns):
    """When the encoder is fitted and later, by column and key, and the key that fills in is offered."""
    with pytest.raises(DataError, match=r"'wind' is (null|nan) at key 1.*`nulls: \{features: impute\}`"):
        fitted(columns, features="refuse")
    _, encoder = fitted({"wind": columns["wind"][:1] * 2}, features="refuse")
    with pytest.raises(DataError, match=r"'wind' is (null|nan) at key 1.*`nulls: \{features: impute\}`"):
        rows_of(encoder, columns)


def test_nulls_and_unknown_categories_are_counted():
    """By column; of the unknown the commonest are named."""
    _, encoder = fitted({"wind": [1.0, 2.0], "height": [1.0, 2.0], "origin": ["LGA", "EWR"]})
    notes = noted(
        encoder,
        {"wind": [None, NAN, 1.0, 2.0], "height": [1.0, 2.0, 2.0, 1.0], "origin": ["SFO", None, "OAK", "SFO"]},
    )
    assert (notes.rows, notes.imputed) == (4, {"origin": 1, "wind": 2})
    assert (notes.unknown["origin"].rows, notes.unknown["origin"].commonest) == (3, {"SFO": 2, "OAK": 1})
    assert noted(encoder, {"wind": [1.0], "height": [2.0], "origin": ["LGA"]}).imputed == {}


def test_an_indicator_for_each_column_that_had_nulls():
    """A 1 where the value is null, for columns of numbers and of texts, behind all others."""
    columns = {"wind": [1.0, None], "origin": [None, "LGA"], "height": [1.0, 2.0]}
    _, encoder = fitted(columns, indicator=True)
    assert encoder.description.indicators == ("wind", "origin")
    restored = restore_encoder(encoder.description, encoder.tensors())
    later = {"wind": [None, 1.0], "origin": ["LGA", None], "height": [None, 1.0]}
    assert [row[-2:] for row in rows_of(restored, later)] == [[1, 0], [0, 1]]
    assert fitted(columns)[1].description.indicators == ()


def test_a_column_is_scaled_once_it_varies():
    """A constant column gets its scale from the first training set in which it varies, the others keep theirs."""
    _, encoder = fitted({"wind": [1.0, 3.0], "z": [5.0, 5.0]})
    again = MemoryDataset(pa.table({"wind": [7.0, 9.0], "z": [5.0, 5.0]}))
    assert go_on_with(encoder, again, np.arange(2), grow=False).description.constant == ("z",)
    later = MemoryDataset(pa.table({"wind": [7.0, 9.0], "z": [100.0, 300.0]}))
    scaled = go_on_with(encoder, later, np.arange(2), grow=False)
    assert scaled.encode(later.table, np.arange(2)).tolist() == [[5.0, -1.0], [7.0, 1.0]]
    assert scaled.description.constant == ()
    final = MemoryDataset(pa.table({"wind": [0.0, 1.0], "z": [0.0, 1.0]}))
    assert go_on_with(scaled, final, np.arange(2), grow=False).tensors()["mean"].tolist() == [2.0, 200.0]


def test_a_column_of_nulls_alone_says_nothing_until_it_varies():
    """Nor does a constant one while it is constant: whatever comes, it is 0."""
    _, encoder = fitted({"z": pa.array([None, None], pa.float64())})
    assert rows_of(encoder, {"z": [1e9, None]}) == [[0.0], [0.0]]
    constant = MemoryDataset(pa.table({"z": [1e9, 1e9]}))
    encoder = go_on_with(encoder, constant, np.arange(2), grow=False)
    assert rows_of(encoder, {"z": [1e9, 7.0]}) == [[0.0], [0.0]]
    assert encoder.description.constant == ("z",)
    varying = MemoryDataset(pa.table({"z": [1e9, 3e9]}))
    assert go_on_with(encoder, varying, np.arange(2), grow=False).encode(varying.table, np.arange(2)).tolist() == [
        [-1.0],
        [1.0],
    ]


def test_categories_that_are_new_get_a_place_where_the_encoder_grows():
    """Behind those of their column, sorted; what stood in a row before stands there in the same order."""
    columns = {"wind": [1.0, 3.0], "origin": ["LGA", "EWR"], "sky": ["clear", None]}
    _, encoder = fitted(columns, indicator=True)
    later = MemoryDataset(pa.table({"wind": [1.0, 3.0], "origin": ["SFO", "EWR"], "sky": ["rain", "fog"]}))
    grown = go_on_with(encoder, later, np.arange(2), grow=True)
    assert grown.description.categories == {"origin": ("EWR", "LGA", "SFO"), "sky": ("clear", "fog", "rain")}
    assert grown.encode(later.table, np.arange(2)).tolist() == [[-1, 0, 0, 1, 0, 0, 1, 0], [1, 1, 0, 0, 0, 1, 0, 0]]
    kept = go_on_with(encoder, later, np.arange(2), grow=False)
    assert kept.description.categories == encoder.description.categories
    before, after = (np.array(rows_of(one, columns)) for one in (encoder, grown))
    assert np.array_equal(after[:, encoder.places_in(grown)], before)
    assert after.sum() == before.sum()


def test_an_encoder_grows_up_to_a_limit():
    """A column of identifiers does not make a model of any size: beyond the limit categories stay unknown."""
    columns = {"id": [f"{number:05}" for number in range(MAX_CATEGORIES - 1)]}
    _, encoder = fitted(columns)
    later = MemoryDataset(pa.table({"id": ["c", "b", "a"]}))
    grown = go_on_with(encoder, later, np.arange(3), grow=True)
    assert grown.description.categories["id"][-1] == "a"
    assert noted(grown, {"id": ["a", "b", "c"]}).unknown["id"].rows == 2


def test_what_has_moved_far_is_noted():
    """A column whose mean lies more than three deviations from where the encoder was fitted."""
    _, encoder = fitted({"wind": [1.0, 3.0], "height": [1.0, 3.0]})
    assert noted(encoder, {"wind": [-8.0, None], "height": [1.0, 4.0]}).moved == {"wind": -10.0}


def test_moments_leave_nulls_out():
    """In pieces of which some have no value in a column at all, mean and deviation are numpy's."""
    values = np.array([[1.0, NAN, 7.0], [2.0, NAN, NAN], [4.0, 5.0, NAN], [NAN, 9.0, NAN]])
    moments = RunningMoments(3)
    for piece in (values[:2], values[2:3], values[3:], values[:0]):
        moments.add(piece)
    assert moments.mean == pytest.approx(np.nanmean(values, axis=0))
    assert RunningMoments(1).mean.tolist() == [0.0]
    assert moments.std == pytest.approx([*np.nanstd(values[:, :2], axis=0), 1.0])
    assert moments.varies.tolist() == [True, True, False]
