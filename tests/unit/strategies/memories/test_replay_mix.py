"""replay_mix selects the new rows and some of a memory of earlier ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError
from scipy.stats import chisquare

from shared.strategies.build import strategy_of
from tests.unit.strategies.asked import named
from tests.unit.strategies.memories.stream import chosen_of, through

SOME = settings(max_examples=60, deadline=None)


@SOME
@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=5),
    memory=st.sampled_from(["reservoir", "class_balanced_reservoir", "herding"]),
    memory_limit=st.integers(4, 50),
    share=st.none() | st.floats(0.05, 0.9),
    limit=st.none() | st.integers(1, 60),
    tail=st.integers(0, 2),
    cuts=st.lists(st.integers(0, 200), max_size=3),
)
def test_new_rows_and_what_was_remembered_before(sizes, memory, memory_limit, share, limit, tail, cuts):
    """Each once; of the memory what the strategy of that name had at the trigger before, in the share asked for."""
    if share is not None and limit is not None:
        memory_limit = max(memory_limit, round(share * limit))
    labels = np.random.default_rng(len(sizes)).choice(list("aaab"), sum(sizes)).tolist()
    options = {"share": share, "limit": limit, "tail": tail, "memory": memory, "memory_limit": memory_limit}
    strategy = named("replay_mix", **{key: one for key, one in options.items() if one is not None})
    found = through(strategy, sizes, labels=labels, cuts=cuts)
    remembered = [[], *chosen_of(named(memory, limit=memory_limit), sizes, labels=labels)]
    assert [keys for keys, _ in found] == chosen_of(strategy, sizes, labels=labels)
    for trigger, (keys, _) in enumerate(found):
        first = sum(sizes[: max(trigger - tail, 0)])
        new = set(range(first, sum(sizes[: trigger + 1])))
        earlier = set(remembered[trigger]) - new
        assert set(keys) <= new | earlier
        most = min(limit or 10**6, len(new | earlier))
        replayed = len(set(keys) & earlier)
        if share is None:
            assert len(keys) == most
            assert replayed == pytest.approx(most * len(earlier) / len(new | earlier), abs=0.5)
        else:
            full = min(limit or 10**6, len(new) / (1 - share))
            assert replayed == min(len(earlier), round(share * full))
            assert len(keys) == min(len(new) + replayed, limit or 10**6)


def test_a_memory_that_new_rows_would_fill_is_of_earlier_ones():
    """Ten rows, and then a thousand: all ten are replayed, and go on only as often as others do."""
    first, second, third = chosen_of(named("replay_mix", memory_limit=10, tail=0), [10, 1000, 1])
    assert first == list(range(10))
    assert second == list(range(1010))
    assert (len(third), third[-1]) == (11, 1010)
    assert len(set(third) & set(range(10))) < 5


def test_rows_of_a_selection_that_failed_are_remembered_from_the_next_one_on():
    """As new rows are: they were seen, but never replayed before."""
    strategy = named("replay_mix", memory_limit=100)
    assert chosen_of(strategy, [10, 10, 10, 10], failed=[1])[1:] == [[*range(10), *range(20, 30)], list(range(40))]


def test_what_is_replayed_is_drawn_at_random():
    """Over 400 seeds, every earlier row as often, and every new one."""
    often = np.zeros(200)
    for seed in range(400):
        strategy = named("replay_mix", memory_limit=50, limit=40, share=0.5, seed=seed)
        often[chosen_of(strategy, [100, 100])[1]] += 1
    assert (often[:100].sum(), often[100:].sum()) == (8000, 8000)
    assert chisquare(often[:100]).pvalue > 1e-3
    assert chisquare(often[100:]).pvalue > 1e-3


def test_it_wants_what_its_memory_wants():
    """Labels, or the current model; and as many triggers as the tail has."""
    wants = {}
    for memory in ("reservoir", "class_balanced_reservoir", "herding"):
        built = strategy_of(named("replay_mix", memory=memory, memory_limit=10, limit=20, tail=2))
        wants[memory] = (built.wants_labels, built.reads_model)
        assert (built.selects_all, built.selects_at_most, built.earlier_triggers) == (False, 20, 3)
    expected = [(False, False), (True, False), (True, True)]
    assert list(wants.values()) == expected


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"memory_limit": 10, "share": 1.0}, "1 leaves no room for new rows"),
        (
            {"memory_limit": 100, "share": 0.5, "limit": 1000},
            "100 can never be 0.5 of 1000 rows; write 500 or more, or a smaller share",
        ),
        ({}, "memory_limit"),
        ({"memory_limit": 10, "memory": "gdumb"}, "gdumb"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, told):
    with pytest.raises(ValidationError, match=told):
        named("replay_mix", **options)
