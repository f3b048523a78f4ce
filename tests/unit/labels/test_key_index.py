"""Keys are found again however many runs they were merged into, in memory and in files, and told apart by all bits."""

from __future__ import annotations

import os

import numpy as np
import pytest

from shared.labels.key_hash import Keys, sorted_keys
from shared.labels.key_index import KeyIndex, Sizes
from shared.labels.resident import Resident

IN_MEMORY = Sizes()
IN_FILES = Sizes(in_memory=10, largest=500, at_once=3)


def some_keys(random, count, first_id, checked, different):
    """Keys with few different hashes, and few checks for each."""
    order = random.integers(0, different, count).astype(np.uint64) << np.uint64(58)
    check = random.integers(0, 3, count).astype(np.uint64) if checked else None
    return sorted_keys(Keys(order, check, np.arange(first_id, first_id + count)))


def plain(keys):
    """(hash, check) and id of each key."""
    checks = [0] * keys.rows if keys.check is None else keys.check.tolist()
    return [
        ((order, check), one) for order, check, one in zip(keys.order.tolist(), checks, keys.ids.tolist(), strict=True)
    ]


@pytest.mark.parametrize("sizes", [IN_MEMORY, IN_FILES])
@pytest.mark.parametrize("seed", range(8))
def test_all_equal_keys_are_found_and_no_others(tmp_path, sizes, seed):
    """Of equal hash those of equal check, each once, whichever side has more of them, and with or without checks."""
    random = np.random.default_rng(seed)
    different = int(random.choice([1, 4, 60]))
    index, remembered, next_id = KeyIndex(tmp_path, "keys", sizes, Resident(1)), [], 0
    for _ in range(int(random.integers(1, 40))):
        keys = some_keys(random, int(random.integers(0, 60)), next_id, random.random() < 0.5, different)
        next_id += keys.rows
        index.add(keys)
        remembered += plain(keys)
        asked = some_keys(random, int(random.choice([0, 1, 30, 400])), 0, random.random() < 0.5, different)
        matches = index.find(asked)
        expected = sorted((one, other) for key, one in plain(asked) for same, other in remembered if key == same)
        assert sorted(zip(*(ids.tolist() for ids in matches.pairs()), strict=True)) == expected
        assert matches.count >= len(expected)
    assert not list(tmp_path.iterdir())  # files have no names, so that none is left behind


def test_keys_that_ascend_are_found_at_their_ends(tmp_path):
    """Runs that do not overlap; what is asked lies before, in, between and behind them."""
    index = KeyIndex(tmp_path, "keys", IN_FILES, Resident(1 << 20))
    for first in range(0, 3000, 30):
        ids = np.arange(first, first + 20)
        index.add(Keys(ids.astype(np.uint64), None, ids))
    for first in (0, 19, 20, 25, 1490, 2989, 2990, 5000):
        ids = np.arange(first, first + 40)
        asked, found = index.find(Keys(ids.astype(np.uint64), None, ids)).pairs()
        there = [one for one in ids.tolist() if one < 3000 and one % 30 < 20]
        assert sorted(asked.tolist()) == sorted(found.tolist()) == there


def test_one_key_of_very_many_rows_is_merged_in_bounded_pieces(tmp_path):
    """More than a merge holds in memory at once."""
    index, count = KeyIndex(tmp_path, "keys", Sizes(in_memory=1000, at_once=2), Resident(1 << 20)), 700_000
    for number in range(2):
        ids = np.arange(number * count, (number + 1) * count)
        index.add(Keys(np.r_[np.full(count - 1, 7), 9].astype(np.uint64), None, ids))
    found = {key: index.find(Keys(np.array([key], np.uint64), None, np.array([0]))) for key in (6, 7, 8, 9)}
    assert {key: matches.count for key, matches in found.items()} == {6: 0, 7: 2 * count - 2, 8: 0, 9: 2}
    assert sorted(found[9].pairs()[1].tolist()) == [count - 1, 2 * count - 1]
    assert len(np.unique(found[7].pairs()[1])) == 2 * count - 2


def test_a_folder_that_cannot_be_written_is_an_error_of_the_system(tmp_path):
    """And not a broken index."""
    index = KeyIndex(tmp_path / "gone", "keys", Sizes(in_memory=1, at_once=2), Resident(1))
    index.add(Keys(np.array([1], np.uint64), None, np.array([0])))
    with pytest.raises(OSError, match=os.path.join("gone", "keys-0")):
        index.add(Keys(np.array([1], np.uint64), None, np.array([1])))
