"""A training set's file says which keys, with which weights, and why; equal sets are equal bytes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared.training_set import TrainingSet, TrainingSetOrigin, read_training_set, training_set_bytes

origins = st.builds(
    TrainingSetOrigin,
    watermark_key=st.integers(0, 2**62),
    watermark_timestamp_us=st.integers(-(2**62), 2**62),
    rows_read=st.integers(0, 2**62),
    seed=st.integers(0, 2**62),
    strategy=st.text(st.characters(exclude_categories=["Cs"])),
)
keys = st.sets(st.integers(0, 2**62), max_size=30).map(lambda chosen: np.array(sorted(chosen), np.int64))


@st.composite
def training_sets(draw):
    """Any training set."""
    chosen = draw(keys)
    weights = draw(st.lists(st.floats(0, 100, width=32), min_size=len(chosen), max_size=len(chosen)))
    return TrainingSet(keys=chosen, weights=np.array(weights, np.float32), origin=draw(origins))


ORIGIN = TrainingSetOrigin(watermark_key=9, watermark_timestamp_us=90, rows_read=10, seed=0, strategy="new_data")


def of(key_list, weights, origin=ORIGIN):
    """A small training set."""
    return TrainingSet(keys=np.array(key_list, np.int64), weights=np.array(weights, np.float32), origin=origin)


@given(training_sets())
def test_a_training_set_is_read_back_as_it_was_written(training_set):
    """Keys, weights and origin survive, in their types."""
    again = read_training_set(training_set_bytes(training_set))
    assert (again.keys.dtype, again.weights.dtype) == (np.int64, np.float32)
    assert again.keys.tolist() == training_set.keys.tolist()
    assert again.weights.tolist() == training_set.weights.tolist()
    assert again.origin == training_set.origin


@given(training_sets())
def test_the_same_set_gives_the_same_bytes(training_set):
    """Also when its arrays were read from a file, as after a restart."""
    body = training_set_bytes(training_set)
    assert training_set_bytes(read_training_set(body)) == body


def test_whatever_differs_shows_in_the_bytes():
    """Another key, weight, seed or watermark is another file."""
    other_origins = [
        TrainingSetOrigin(watermark_key=9, watermark_timestamp_us=90, rows_read=10, seed=1, strategy="new_data"),
        TrainingSetOrigin(watermark_key=8, watermark_timestamp_us=90, rows_read=10, seed=0, strategy="new_data"),
    ]
    sets = [
        of([1, 2], [1, 1]),
        of([1, 3], [1, 1]),
        of([1, 2], [1, 0.5]),
        *(of([1, 2], [1, 1], o) for o in other_origins),
    ]
    assert len({training_set_bytes(one) for one in sets}) == len(sets)


def test_an_empty_set_keeps_its_types():
    """No rows selected is still a file of int64 keys and float32 weights."""
    again = read_training_set(training_set_bytes(of([], [])))
    assert (again.keys.dtype, again.weights.dtype, len(again.keys)) == (np.int64, np.float32, 0)
