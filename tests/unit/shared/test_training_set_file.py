"""A training set's file says which keys, with which weights, and why; equal sets are equal bytes, however they came."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from shared.temporary import scratch_folder
from shared.training_set import ROWS_A_GROUP, TrainingSetFile, TrainingSetOrigin, TrainingSetWriter

origins = st.builds(
    TrainingSetOrigin,
    watermark_key=st.integers(0, 2**62),
    watermark_timestamp_us=st.integers(-(2**62), 2**62),
    rows_read=st.integers(0, 2**62),
    seed=st.integers(0, 2**62),
    strategy=st.text(st.characters(exclude_categories=["Cs"])),
)
key_lists = st.lists(st.integers(0, 2**62), max_size=30).map(sorted)  # one that was drawn twice stands twice

ORIGIN = TrainingSetOrigin(watermark_key=9, watermark_timestamp_us=90, rows_read=10, seed=0, strategy="new_data")


def piece(keys, weights=None):
    """Rows of a set; without weights all weigh one."""
    return np.array(keys, np.int64), np.ones(len(keys), np.float32) if weights is None else np.float32(weights)


def write(path, pieces, origin=ORIGIN):
    """A set's file."""
    with TrainingSetWriter(path) as writer:
        for keys, weights in pieces:
            writer.write(keys, weights)
        writer.finish(origin)


def read(path):
    """All keys and weights of a set's file."""
    pieces = list(TrainingSetFile(path).pieces())
    return [key for keys, _ in pieces for key in keys.tolist()], [w for _, some in pieces for w in some.tolist()]


def body(pieces, origin=ORIGIN):
    """The bytes of a set's file."""
    with scratch_folder("test") as folder:
        write(folder / "set", pieces, origin)
        return (folder / "set").read_bytes()


@given(key_lists, st.data(), origins)
def test_a_training_set_is_read_back_as_it_was_written(keys, data, origin):
    """Keys, weights and origin survive, in their types, and as often as they are asked for."""
    floats = st.floats(0.125, 100, width=32)
    weights = data.draw(st.lists(floats, min_size=len(keys), max_size=len(keys)))
    with scratch_folder("test") as folder:
        write(folder / "set", [piece(keys, weights)], origin)
        found = TrainingSetFile(folder / "set")
        assert (found.rows, found.origin, found.all_weigh_one) == (len(keys), origin, all(w == 1 for w in weights))
        assert read(folder / "set") == (keys, weights)
        assert [[some.dtype for some in one] for one in found.pieces()] == [[np.int64, np.float32]] * bool(keys)
        assert [len(some) for some, _ in found.pieces()] == [len(some) for some, _ in found.pieces()]


def test_where_pieces_are_cut_shows_nowhere(tmp_path: Path):
    """The bytes are the same; the groups of rows are as large as the format says, and no larger."""
    keys, weights = piece(np.arange(0, 7 * ROWS_A_GROUP, 3), np.linspace(0.5, 1.5, -(-7 * ROWS_A_GROUP // 3)))
    borders = [0, 1, 1000, 1000, ROWS_A_GROUP + 5, 2 * ROWS_A_GROUP, len(keys)]
    cut = [(keys[a:b], weights[a:b]) for a, b in zip(borders, borders[1:], strict=False)]
    assert body(cut) == body([(keys, weights)])
    write(tmp_path / "set", cut)
    found = TrainingSetFile(tmp_path / "set")
    assert [len(some) for some, _ in found.pieces()] == [ROWS_A_GROUP, ROWS_A_GROUP, len(keys) - 2 * ROWS_A_GROUP]
    assert (np.concatenate([some for some, _ in found.pieces()]) == keys).all()
    assert (np.concatenate([some for _, some in found.pieces()]) == weights).all()


def test_whatever_differs_shows_in_the_bytes():
    """Another key, weight, seed or watermark is another file."""
    other_origins = [
        TrainingSetOrigin(watermark_key=9, watermark_timestamp_us=90, rows_read=10, seed=1, strategy="new_data"),
        TrainingSetOrigin(watermark_key=8, watermark_timestamp_us=90, rows_read=10, seed=0, strategy="new_data"),
    ]
    sets = [
        ([piece([1, 2])], ORIGIN),
        ([piece([1, 3])], ORIGIN),
        ([piece([1, 2], [1, 0.5])], ORIGIN),
        *(([piece([1, 2])], origin) for origin in other_origins),
    ]
    assert len({body(*one) for one in sets}) == len(sets)


def test_what_was_taken_back_leaves_nothing():
    """A file that was begun anew is that of what came after."""
    with scratch_folder("test") as folder:
        with TrainingSetWriter(folder / "set") as writer:
            writer.write(*piece(range(ROWS_A_GROUP + 1), np.full(ROWS_A_GROUP + 1, 0.5)))
            writer.clear()
            writer.write(*piece([7]))
            writer.finish(ORIGIN)
        assert (folder / "set").read_bytes() == body([piece([7])])


def test_an_empty_set_keeps_its_types(tmp_path):
    """No rows selected is still a file of int64 keys and float32 weights, and says why."""
    write(tmp_path / "set", [])
    found = TrainingSetFile(tmp_path / "set")
    assert (found.rows, list(found.pieces()), found.origin) == (0, [], ORIGIN)
    assert [str(kind) for kind in pq.read_schema(tmp_path / "set").types] == ["int64", "float"]


def test_a_set_of_one_other_weight_is_not_all_ones(tmp_path):
    """Wherever it stands."""
    for at in (0, ROWS_A_GROUP, 2 * ROWS_A_GROUP):
        weights = np.ones(2 * ROWS_A_GROUP + 1, np.float32)
        weights[at] = 1.5
        write(tmp_path / "set", [piece(np.arange(len(weights)), weights)])
        assert not TrainingSetFile(tmp_path / "set").all_weigh_one


def test_any_reader_of_parquet_finds_why(tmp_path):
    """Columns `key` and `weight`, one group of rows while they are few, and the origin beside the schema."""
    write(tmp_path / "set", [piece([3]), piece([4], [2])])
    table = pq.read_table(tmp_path / "set")
    assert table.to_pydict() == {"key": [3, 4], "weight": [1.0, 2.0]}
    assert b'"strategy":"new_data"' in table.schema.metadata[b"modyn"]
    assert pq.read_metadata(tmp_path / "set").num_row_groups == 1
