"""Which rows are train, validation and test is fixed by the key, for ever."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.split import rows_in_split, seeds_of_column, seeds_of_groups, splitmix64

KEYS = np.arange(100_000, dtype=np.uint64)
MASK = 2**64 - 1
shares = st.floats(0, 0.5)
any_seeds = st.lists(st.integers(0, MASK), max_size=40).map(lambda seeds: np.array(seeds, np.uint64))


def splitmix64_in_python(seed):
    """The reference: one output of splitmix64, in integers without end."""
    z = (seed + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def masks(seeds, test, validation):
    """The mask of each split."""
    names = ("train", "validation", "test")
    return {name: rows_in_split(seeds, name, test=test, validation=validation) for name in names}


@pytest.mark.parametrize(("seed", "first_output"), [(0, 0xE220A8397B1DCDAF), (1234567, 6457827717110365317)])
def test_published_outputs_of_splitmix64(seed, first_output):
    """Values that others publish for the generator."""
    assert int(splitmix64(np.array([seed], np.uint64))[0]) == first_output


@given(any_seeds)
def test_splitmix64_wraps_like_integers_of_64_bits(seeds):
    """Every seed gives what arithmetic modulo 2⁶⁴ gives, without a warning of overflow."""
    assert splitmix64(seeds).tolist() == [splitmix64_in_python(seed) for seed in seeds.tolist()]


@given(seeds=any_seeds, test=shares, validation=shares)
def test_every_row_is_in_exactly_one_split(seeds, test, validation):
    """The three masks share out the rows, whatever the shares."""
    assert (sum(mask.astype(int) for mask in masks(seeds, test, validation).values()) == 1).all()


@given(seeds=any_seeds, test=shares, validation=shares)
def test_the_split_is_decided_by_the_top_53_bits(seeds, test, validation):
    """u = (z >> 11)/2⁵³; test below `test`, validation below `test + validation`."""
    u = [(splitmix64_in_python(seed) >> 11) / 2**53 for seed in seeds.tolist()]
    found = masks(seeds, test, validation)
    assert found["test"].tolist() == [one < test for one in u]
    assert found["train"].tolist() == [one >= test + validation for one in u]


@pytest.mark.parametrize(("test", "validation"), [(0.1, 0.0), (0.2, 0.3), (0.0, 0.05)])
def test_shares_are_met_over_many_rows(test, validation):
    """Of 100,000 keys each split has its share to within half a percent of all."""
    found = masks(KEYS, test, validation)
    expected = {"test": test, "validation": validation, "train": 1 - test - validation}
    for name, share in expected.items():
        assert found[name].mean() == pytest.approx(share, abs=0.005), name


def test_a_share_of_nothing_or_all():
    """0 chooses no row, 1 chooses every row."""
    assert masks(KEYS, 0.0, 0.0)["train"].all()
    assert masks(KEYS, 1.0, 0.0)["test"].all()
    assert masks(KEYS, 0.0, 1.0)["validation"].all()


@given(test=shares, more=shares)
def test_a_larger_test_share_only_adds_rows(test, more):
    """A row that was in the test split stays there when the share grows."""
    small, large = (rows_in_split(KEYS[:500], "test", test=share, validation=0.0) for share in (test, test + more))
    assert (large | ~small).all()


def test_the_seed_of_a_group_is_the_head_of_its_sha_256():
    """The first 8 bytes, big endian, of the text in UTF-8; a number is its text."""
    texts = ["AA", "Zürich", "", "7"]
    expected = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") for text in texts]
    assert seeds_of_groups(["AA", "Zürich", "", 7]).tolist() == expected


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1", [1, 1.0, True, Decimal("1.00"), "1"]),
        ("0", [0, 0.0, -0.0, False, Decimal(0)]),
        ("1.5", [1.5, Decimal("1.5"), Decimal("1.500")]),
        ("9007199254740993", [2**53 + 1, Decimal(2**53 + 1)]),
        ("18446744073709549568", [2**64 - 2048, 2.0**64 - 2048]),
        ("None", [None, float("nan")]),
        ("inf", [float("inf")]),
    ],
)
def test_equal_numbers_are_one_group(text, values):
    """A group is where it is whatever types files write it in; NaN is a null."""
    assert set(seeds_of_groups(values).tolist()) == set(seeds_of_groups([text]).tolist())


@given(st.integers(-(2**53), 2**53))
def test_a_column_that_widens_moves_no_group(number):
    """A whole number is where its text alone puts it, also once the column is one of floats."""
    assert len(set(seeds_of_groups([number, float(number), str(number)]).tolist())) == 1


@given(st.lists(st.sampled_from("abcdefgh"), max_size=60), shares, shares)
def test_groups_stay_together(values, test, validation):
    """Rows of equal value are in one split, in whatever order they come."""
    seeds = seeds_of_groups(values)
    for mask in masks(seeds, test, validation).values():
        inside = {value for value, chosen in zip(values, mask.tolist(), strict=True) if chosen}
        assert [value in inside for value in values] == mask.tolist()


@pytest.mark.parametrize(
    "values",
    [
        [3, None, 3, -1],
        [0.5, float("nan"), 7.0, None, -0.0],
        ["b", None, "", "b", "Zürich"],
        [True, None, False],
        [Decimal("1.50"), Decimal("2.00"), None],
        [date(2024, 1, 2), date(2024, 1, 1)],
        [None, None],
        [],
    ],
)
def test_a_column_is_its_values(values):
    """However its chunks lie, also where it is a dictionary."""
    column = pa.chunked_array([pa.array(values), pa.array(values[::-1], pa.array(values).type)])
    expected = seeds_of_groups([*column.to_pylist()]).tolist()
    assert seeds_of_column(column).tolist() == expected
    if values and not pa.types.is_null(column.type):
        assert seeds_of_column(column.dictionary_encode()).tolist() == expected
