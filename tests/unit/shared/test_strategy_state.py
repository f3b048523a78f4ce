"""What a strategy keeps is the same bytes whenever it is the same, and comes back as it was."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.strategies.state import read_state, state_bytes

TABLE = pa.table(
    {
        "key": np.arange(9),
        "draw": np.arange(9, dtype=np.uint64) << np.uint64(60),
        "used": np.arange(9) % 2 == 0,
        "class": [f"class {n % 4}" for n in range(9)],
    },
    metadata={"seen": "9", "limit": "20"},
)


@given(st.lists(st.integers(0, 9), max_size=3).map(sorted), st.integers(0, 9), st.integers(0, 9))
def test_however_a_table_came_about_its_bytes_are_the_same(cuts: list[int], before: int, behind: int) -> None:
    """Whole, in chunks, as a slice of a larger one."""
    around = pa.concat_tables([TABLE.slice(0, before), TABLE, TABLE.slice(behind)])
    borders = [before, *(before + cut for cut in cuts), before + 9]
    pieces = [around.slice(start, stop - start) for start, stop in zip(borders, borders[1:], strict=False)]
    table = pa.concat_tables(pieces).replace_schema_metadata({"limit": "20", "seen": "9"})
    assert table.equals(TABLE)
    assert state_bytes({"b": 1, "rows": table}) == state_bytes({"rows": TABLE, "b": 1})


@pytest.mark.parametrize(
    "state", [None, 3, {"rows": TABLE, "more": [TABLE.slice(0, 0), {"share": 0.5}], "label": "x"}, TABLE]
)
def test_a_state_comes_back(state: object) -> None:
    """Tables anywhere in it, with the metadata of their schemas."""
    read = read_state(state_bytes(state))
    assert read == state
    assert state_bytes(read) == state_bytes(state)
    if state is TABLE:
        assert read.schema.metadata == TABLE.schema.metadata


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"rows": np.arange(3)}, "cannot hold a ndarray"),
        ({3: 1.5}, "mapping with keys that are not texts"),
        (pa.table({"label": pa.array([1, None])}), "column label of a state's table has nulls"),
        (pa.table([[1]], schema=pa.schema([pa.field("x", pa.int64(), metadata={"a": "b"})])), "column x .* metadata"),
    ],
)
def test_what_cannot_be_kept_is_refused(state: object, said: str) -> None:
    """Rather than lost, or written in bytes that are other each time."""
    with pytest.raises((TypeError, ValueError), match=said):
        state_bytes(state)
