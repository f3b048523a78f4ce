"""Two keys are the same exactly if their values are equal, whatever types two tables write them in."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import DataError
from shared.labels.key_hash import keys_of, refuse_other_types

NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)
DICTIONARY = pa.DictionaryArray.from_arrays(pa.array([1, 0, None, 1, 2]), pa.array(["b", "a", None]))


def hashes(*columns):
    """128 bits for each row, None for one that matches nothing."""
    table = pa.table({f"k{number}": column for number, column in enumerate(columns)})
    keys = keys_of(table, 100)
    assert (np.diff(keys.order.astype(object)) >= 0).all()
    checks = [0] * keys.rows if keys.check is None else keys.check.tolist()
    found = dict(zip(keys.ids.tolist(), zip(keys.order.tolist(), checks, strict=True), strict=True))
    return [found.get(100 + row) for row in range(table.num_rows)]


WRITTEN_UNLIKE = {
    "numbers": [
        pa.array([0, 1, None, 1]),
        pa.array([0, 1, None, 1], pa.int8()),
        pa.array([0, 1, None, 1], pa.uint64()),
        pa.array([-0.0, 1.0, float("nan"), 1.0]),
        pa.array([0.0, 1.0, None, 1.0], pa.float32()),
        pa.array(np.array([0, 1, np.nan, 1], np.float16)),
        pa.array([False, True, None, True]),
        pa.array([Decimal("0.00"), Decimal("1.00"), None, Decimal("1.00")]),
        pa.array([0, 1, None, 1]).dictionary_encode(),
    ],
    "fractions": [
        pa.array([0.5, -2.25, 1e300, None]),
        pa.array([0.5, -2.25, 1e300, None]).dictionary_encode(),
        pa.chunked_array([pa.array([0.5]), pa.array([], pa.float64()), pa.array([-2.25, 1e300, float("nan")])]),
    ],
    "decimals": [
        pa.array([Decimal("0.50"), Decimal("-2.25"), None, Decimal(2**62 + 1)]),
        pa.array([Decimal("0.5000"), Decimal("-2.25"), None, Decimal(2**62 + 1)], pa.decimal256(60, 4)),
    ],
    "fractions of a decimal": [
        pa.array([Decimal("0.00310"), Decimal("0.00001"), None]),
        pa.array([Decimal("0.0031"), Decimal("0.00001"), None], pa.decimal128(38, 30)),
        pa.array([0.0031, 0.00001, None]),
    ],
    "decimals that no float tells apart": [
        pa.array([Decimal(10**24), Decimal(10**24 + 1), Decimal("12345678901234567.25"), None], pa.decimal128(38, 2)),
        pa.array([Decimal(10**24), Decimal(10**24 + 1), Decimal("12345678901234567.250"), None], pa.decimal256(60, 3)),
    ],
    "large whole numbers": [
        pa.array([2**63 - 1, 2**63 + 1, 2**64 - 1, None], pa.uint64()),
        pa.array([Decimal(2**63 - 1), Decimal(2**63 + 1), Decimal(2**64 - 1), None], pa.decimal128(38, 4)),
    ],
    "large numbers": [
        pa.array([2**63, 2**64 - 2048, 5], pa.uint64()),
        pa.array([2.0**63, 2.0**64 - 2048, 5.0]),
        pa.array([Decimal(2**63), Decimal(2**64 - 2048), Decimal(5)]),
    ],
    "texts": [
        pa.array(["a", "b", None, "a", None]),
        pa.array(["a", "b", None, "a", None], pa.large_string()),
        pa.array(["a", "b", None, "a", None], pa.string_view()),
        pa.array([b"a", b"b", None, b"a", None]),
        pa.array([b"a", b"b", None, b"a", None], pa.binary(1)),
        pa.array([b"a", b"b", None, b"a", None], pa.binary_view()),
        DICTIONARY,
        pa.chunked_array([DICTIONARY.slice(0, 2), pa.DictionaryArray.from_arrays([None, 0, None], ["a"])]),
        pa.array(["-", "a", "b", None, "a", None, "-"]).slice(1, 5),
    ],
    "moments": [
        pa.array([NEW_YEAR, None, NEW_YEAR + timedelta(days=1)], pa.timestamp("us", "UTC")),
        pa.array([date(2024, 1, 1), None, date(2024, 1, 2)]),
        pa.array([date(2024, 1, 1), None, date(2024, 1, 2)], pa.date64()),
        *(
            pa.array([datetime(2024, 1, 1), None, datetime(2024, 1, 2)], pa.timestamp(unit))
            for unit in ("s", "ms", "ns")
        ),
        pa.array([NEW_YEAR.astimezone(timezone(timedelta(hours=5))), None, NEW_YEAR + timedelta(days=1)]),
    ],
}


@pytest.mark.parametrize("kind", WRITTEN_UNLIKE)
def test_equal_values_of_unlike_types_are_the_same_key(kind):
    """Numbers, texts and moments, with nulls and NaN, which match nothing."""
    first, *others = map(hashes, WRITTEN_UNLIKE[kind])
    assert None in first or kind == "large numbers"
    for other in others:
        assert other == first


def test_values_that_differ_are_different_keys():
    """Of one kind by little, of two kinds though they look alike."""
    numbers = pa.array([0, 1, -1, 2**63 - 1, -(2**63)])
    fractions = pa.array([0.5, -0.5, 1e19, float("inf"), -float("inf"), 2.0**64])
    texts = pa.array(["", "0", "1", "a", "a\0", "a" * 8, "a" * 9, "a" * 256, "a" * 257, "b" * 257, "1970-01-01"])
    moments = pa.array([0, 1, 1000, 86_400_000_000_000], pa.timestamp("ns"))
    columns = (numbers, pa.array([2**63, 2**64 - 1], pa.uint64()), fractions, texts, moments)
    found = [one for column in columns for one in hashes(column)]
    assert len(set(found)) == len(found) == sum(map(len, columns))


@given(units=st.lists(st.integers(-(10**15) + 1, 10**15 - 1), min_size=1), scale=st.integers(0, 15))
def test_a_decimal_is_the_number_that_it_is_written_as(units, scale):
    """A float, and a decimal of more digits, too; Arrow's own floats of decimals are off by a bit."""
    numbers = [Decimal(unit).scaleb(-scale) for unit in units]
    found = hashes(pa.array(numbers, pa.decimal128(15, scale)))
    assert hashes(pa.array([float(number) for number in numbers])) == found
    assert hashes(pa.array([None, *numbers], pa.decimal128(38, scale + 3)).slice(1)) == found
    assert hashes(pa.array([None, *numbers], pa.decimal64(15, scale)).slice(1)) == found


def test_decimals_beyond_all_floats_are_told_apart():
    """Identifiers of 20 and more digits, and small differences of large ones."""
    numbers = [Decimal(10**24 + number) for number in range(50)] + [Decimal(2**63 + number) for number in range(50)]
    numbers += [Decimal(10**17) + Decimal(number) / 100 for number in range(50)]
    assert len(set(hashes(pa.array(numbers, pa.decimal128(38, 2))))) == 150


def test_whole_numbers_and_moments_keep_their_order():
    """So that keys that ascend lie together, and their hash is the number itself."""
    ordered = [-(2**63), -5, -1, 0, 3, 2**63 - 1]
    for column in (pa.array(ordered), pa.array(ordered, pa.timestamp("us"))):
        found = [order for order, _ in hashes(column)]
        assert found == sorted(found)
        assert np.diff(np.array(found, object)).tolist() == np.diff(np.array(ordered, object)).tolist()


def test_several_columns_count_in_their_order():
    """Each of them, and one null is enough to match nothing."""
    first = hashes(pa.array([1, 1, 2, None, 1]), pa.array(["x", "y", "x", "x", None]))
    assert first[3:] == [None, None]
    assert len(set(first[:3])) == 3
    assert hashes(pa.array([1.0, 1.0]), pa.array(["x", "y"]).dictionary_encode()) == first[:2]
    assert set(hashes(pa.array(["x", "y"]), pa.array([1, 1]))).isdisjoint(first)
    assert hashes(pa.array([1, 2]), pa.array([2, 1]))[0] != hashes(pa.array([1, 2]), pa.array([2, 1]))[1]
    assert hashes(pa.array(["ab"]), pa.array(["c"])) != hashes(pa.array(["a"]), pa.array(["bc"]))


@given(texts=st.lists(st.text(max_size=20) | st.text("ab", max_size=300)), start=st.integers(0, 5))
def test_texts_are_told_apart_by_their_bytes(texts, start):
    """Wherever they begin in their buffer, and however many there are."""
    found = hashes(pa.array(["-" * start, *texts], pa.string()).slice(1))
    for text, one in zip(texts, found, strict=True):
        assert hashes(pa.array([text], pa.large_string())) == [one]
    assert len(set(found)) == len(set(texts))


def test_many_texts_are_hashed_in_pieces_alike():
    """More than go at once, of very unlike lengths."""
    texts = [("x" * (number % 300)) + str(number) for number in range(40_000)]
    found = hashes(pa.array(texts))
    assert len(set(found)) == 40_000
    assert hashes(pa.array(texts[39_000:])) == found[39_000:]


def test_extension_types_are_what_they_are_stored_as():
    """UUIDs, for one."""
    ids = [uuid.uuid4().bytes for _ in range(3)]
    assert hashes(pa.array(ids, pa.uuid())) == hashes(pa.array(ids))


@pytest.mark.parametrize("kind", [pa.list_(pa.int64()), pa.struct({"a": pa.int64()}), pa.duration("s"), pa.time32("s")])
def test_other_types_are_refused_by_name(kind):
    """The sentence says which column and type, and what to do."""
    with pytest.raises(DataError, match=r"the key column 'parts' is of type .*Name other columns under `labels: key`"):
        refuse_other_types(pa.schema({"id": pa.int64(), "parts": kind}))
    with pytest.raises(DataError, match="the key column 'parts'"):
        keys_of(pa.table({"parts": pa.nulls(2, kind)}), 0)


def test_a_column_of_nulls_alone_matches_nothing():
    """Of whatever type, and with no rows at all there are no keys."""
    assert hashes(pa.nulls(2)) == hashes(pa.nulls(2, pa.string())) == [None, None]
    assert hashes(pa.nulls(2).dictionary_encode()) == [None, None]
    assert hashes(pa.array([], pa.string()), pa.array([], pa.int64())) == []
