"""Memories keep what they promise, whatever the order and pieces in which rows come."""

from __future__ import annotations

import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, chisquare

from shared.split import rows_in_split
from shared.strategies.draws import draws_of
from shared.strategies.memories.kept.class_balanced import ClassBalanced
from shared.strategies.memories.kept.reservoir import Reservoir

SOME = settings(max_examples=60, deadline=None)
SIZES = st.lists(st.integers(0, 30), min_size=1, max_size=6)


class OfThreeClasses(ClassBalanced):
    """A balanced memory as one of rows alone, to ask both the same."""

    def observe(self, state, keys):
        """A key's class is what is left of it by three."""
        return super().observe(state, keys, keys.view(np.uint64) % np.uint64(3))


KINDS = pytest.mark.parametrize("kind", [Reservoir, OfThreeClasses])


def seen(memory, *pieces):
    """The state after these pieces."""
    state = memory.empty()
    for piece in pieces:
        state = memory.observe(state, piece)
    return state


def rows_of(sizes):
    """Keys and classes, so many rows of each class, mixed."""
    classes = np.repeat(np.arange(len(sizes)), sizes).astype(np.uint64)
    return np.arange(len(classes)), np.random.default_rng(0).permutation(classes)


@KINDS
@SOME
@given(
    n=st.integers(0, 60), limit=st.integers(1, 40), cuts=st.lists(st.integers(0, 60), max_size=4), seed=st.integers(0)
)
def test_order_and_pieces_change_nothing(kind, n, limit, cuts, seed):
    """The same state, row by row, also where pieces were seen apart and merged, or twice."""
    memory = kind(limit, seed % 2**63)
    mixed = np.random.default_rng(seed).permutation(n)
    pieces = np.split(mixed, sorted(min(cut, n) for cut in cuts))
    expected = seen(memory, np.arange(n))
    assert memory.empty().schema == expected.schema
    assert seen(memory, *pieces).equals(expected)
    apart = memory.empty()
    for piece in [*pieces, pieces[0]]:
        apart = memory.merge(apart, seen(memory, piece))
    assert apart.equals(expected)
    keys = memory.keys(expected)
    assert (len(keys), (np.diff(keys) > 0).all()) == (min(n, limit), True)


@KINDS
def test_a_stored_state_goes_on(kind, tmp_path):
    """Written and read between two pieces."""
    memory = kind(50, 1)
    state = seen(memory, np.arange(100))
    with pa.OSFile(str(tmp_path / "state"), "wb") as file, pa.ipc.new_file(file, state.schema) as writer:
        writer.write_table(state)
    read = pa.ipc.open_file(str(tmp_path / "state")).read_all()
    assert memory.observe(read, np.arange(100, 200)).equals(seen(memory, np.arange(200)))


@KINDS
def test_a_seed_is_another_memory(kind):
    first, second = (kind(50, seed).keys(seen(kind(50, seed), np.arange(5000))) for seed in (1, 2))
    assert len(np.intersect1d(first, second)) < 10


def test_every_row_is_as_likely():
    """By place in the stream, over 400 seeds; rows come in pieces."""
    kept = np.zeros(200)
    for seed in range(400):
        memory = Reservoir(40, seed)
        kept[memory.keys(seen(memory, *np.split(np.arange(200), 5)))] += 1
    assert chisquare(kept).pvalue > 1e-3
    assert chisquare(kept.reshape(10, 20).sum(axis=1)).pvalue > 1e-3


def test_a_memory_does_not_depend_on_the_split():
    """Both follow from the key: rows of the train split are kept as often as others."""
    keys = np.arange(200_000)
    train = rows_in_split(keys.view(np.uint64), "train", test=0.3, validation=0.2)
    kept = draws_of(keys, 0) < np.uint64(2**62)
    table = [[(kept & train).sum(), (kept & ~train).sum()], [(~kept & train).sum(), (~kept & ~train).sum()]]
    assert chi2_contingency(table).pvalue > 1e-3


@SOME
@given(sizes=SIZES, limit=st.integers(1, 60))
def test_classes_are_balanced_within_one_row(sizes, limit):
    """Where they have so many; what one lacks is shared by the others, and the limit is used."""
    keys, classes = rows_of(sizes)
    memory = ClassBalanced(limit, 0)
    kept = memory.keys(memory.observe(memory.empty(), keys, classes))
    assert len(kept) == min(limit, len(keys))
    counts = np.bincount(classes[kept].astype(np.int64), minlength=len(sizes))
    short = counts < np.array(sizes)
    assert (counts[short] >= counts.max() - 1).all()


@SOME
@given(sizes=SIZES, limit=st.integers(1, 60), seed=st.integers(0, 1000))
def test_rows_class_after_class_give_the_same_memory(sizes, limit, seed):
    """As in class-incremental streams: a class that comes late gets its share of rows that were seen all along."""
    keys, classes = rows_of(sizes)
    memory = ClassBalanced(limit, seed)
    state = memory.empty()
    for one in np.random.default_rng(seed).permutation(len(sizes)):
        for piece in np.array_split(keys[classes == one], 3):
            state = memory.observe(state, piece, classes[piece])
    assert state.equals(memory.observe(memory.empty(), keys, classes))


def test_the_work_is_in_whole_arrays_however_many_classes_there_are():
    """As many calls for 5,000 classes as for 5, but for what sharing by halves takes."""

    def calls(classes):
        memory, keys, counted = ClassBalanced(6000, 0), np.arange(20_000), [0]

        def count(*_):
            counted[0] += 1

        state = memory.observe(memory.empty(), keys[:10_000], keys[:10_000].view(np.uint64) % np.uint64(classes))
        before = sys.getprofile()
        sys.setprofile(count)
        try:
            memory.observe(state, keys[10_000:], keys[10_000:].view(np.uint64) % np.uint64(classes))
        finally:
            sys.setprofile(before)
        return counted[0]

    assert calls(5000) < 2 * calls(5) < 5000


def test_within_a_class_every_row_is_as_likely():
    keys, classes = rows_of([20, 100, 300])
    kept = np.zeros(420)
    for seed in range(400):
        memory = ClassBalanced(60, seed)
        state = memory.empty()
        for piece in np.array_split(keys, 4):
            state = memory.observe(state, piece, classes[piece])
        kept[memory.keys(state)] += 1
    assert [kept[classes == one].sum() for one in range(3)] == [20 * 400] * 3
    for one in (1, 2):
        assert chisquare(kept[classes == one]).pvalue > 1e-3
    assert (kept[classes == 0] == 400).all()


def test_what_cannot_be_used_is_refused():
    with pytest.raises(ValueError, match="limit is 0; a memory keeps 1 row or more"):
        Reservoir(0, 1)
    with pytest.raises(ValueError, match="limit is -1"):
        ClassBalanced(-1, 1)
    with pytest.raises(ValueError, match=r"keys are float64 of shape \(2,\)"):
        Reservoir(1, 1).observe(Reservoir(1, 1).empty(), np.ones(2))
    with pytest.raises(ValueError, match=r"classes are int64 of shape \(2,\); they are uint64 \(3,\)"):
        ClassBalanced(1, 1).observe(ClassBalanced(1, 1).empty(), np.arange(3), np.arange(2))
