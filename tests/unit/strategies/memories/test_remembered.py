"""reservoir, class_balanced_reservoir and gdumb train on what they remember of all rows that became known."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.split import seeds_of_groups
from shared.strategies.build import strategy_of
from shared.strategies.draws import draws_of
from tests.unit.strategies.asked import named
from tests.unit.strategies.memories.stream import chosen_of, through

SOME = settings(max_examples=40, deadline=None)
SIZES = st.lists(st.integers(1, 30), min_size=1, max_size=4)
CUTS = st.lists(st.integers(0, 30), max_size=3)
ALL = pytest.mark.parametrize("strategy", ["reservoir", "class_balanced_reservoir", "gdumb"])


def defined(strategy, labels, limit, seed):
    """From the definitions: the smallest draws, or the smallest (rank within the class, class)."""
    keys = np.arange(len(labels))
    draws = draws_of(keys, seed)
    if strategy == "reservoir":
        return sorted(keys[np.argsort(draws)[:limit]].tolist())
    classes, ranks, places = seeds_of_groups(labels), Counter(), []
    for key in np.argsort(draws).tolist():
        places.append((ranks[labels[key]], int(classes[key]), key))
        ranks[labels[key]] += 1
    return sorted(key for _, _, key in sorted(places)[:limit])


@ALL
@SOME
@given(
    sizes=SIZES,
    limit=st.integers(4, 60),
    cuts=CUTS,
    mix=st.integers(0, 9),
    seed=st.integers(0, 3),
    failed=st.none() | st.integers(0, 2),
)
def test_each_trigger_has_what_is_remembered_of_all(strategy, sizes, limit, cuts, mix, seed, failed):
    """Whatever the order and the pieces in which rows came, though the state was stored in between, and one failed."""
    failed = failed if failed != len(sizes) - 1 else None
    labels = np.random.default_rng(mix).choice(list("aaab c"), sum(sizes)).tolist()
    found = through(named(strategy, limit=limit), sizes, labels=labels, cuts=cuts, mix=mix, seed=seed, failed=[failed])
    stops = [stop for trigger, stop in enumerate(np.cumsum(sizes)) if trigger != failed]
    for stop, (keys, _) in zip(stops, found, strict=True):
        assert keys == defined(strategy, labels[:stop], limit, seed)
    whole = through(named(strategy, limit=limit), [sum(sizes)], labels=labels, seed=seed)
    assert found[-1] == whole[-1]


@ALL
def test_the_seed_of_its_own_counts(strategy):
    """Without it that of the pipeline does."""
    labels = list("ab") * 100
    of = lambda options, seed: chosen_of(named(strategy, limit=20, **options), [100, 100], labels=labels, seed=seed)  # noqa: E731
    assert of({}, 0) != of({}, 1)
    assert of({"seed": 1}, 0) == of({"seed": 1}, 5) == of({}, 1)


@ALL
def test_a_forecast_knows_how_much_is_selected(strategy):
    """From all rows, up to the limit."""
    built = strategy_of(named(strategy, limit=20))
    assert (built.selects_all, built.selects_at_most, built.reads_model) == (True, 20, False)
    assert built.wants_labels == (strategy != "reservoir")


@pytest.mark.parametrize("cuts", [(), (10,)])
@pytest.mark.parametrize("sizes", [[50], [10, 10, 1, 29]])
@pytest.mark.parametrize("strategy", ["gdumb", "herding"])
def test_numbers_are_no_classes(strategy, sizes, cuts):
    """More labels than rows that are kept: no class could have its share, in however many pieces they come."""
    with pytest.raises(ValueError, match="more labels than the 20 rows that are remembered"):
        through(named(strategy, limit=20), sizes, labels=[str(key) for key in range(50)], cuts=cuts)
