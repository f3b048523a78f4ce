"""herding keeps of each class the rows whose mean is nearest to the class's, as the current model embeds them."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.strategies.build import strategy_of
from shared.strategies.fair_share import shares
from tests.unit.strategies.asked import named
from tests.unit.strategies.memories.stream import chosen_of, through

SOME = settings(max_examples=40, deadline=None)


class Embedding:
    """A model that has a point for each key, and chooses from them as iCaRL says."""

    trigger_id = 0

    def __init__(self, labels):
        self.points = np.random.default_rng(7).normal(size=(500, 3))
        self.labels = np.array(labels)
        self.asked = []

    def coreset(self, name, keys, k, options):
        """Class by class, in fair shares."""
        assert (name, options) == ("herding", {"space": "embedding", "per_class": True, "seed": 0})
        assert (np.diff(keys) > 0).all()
        self.asked.append(keys.tolist())
        of_classes = [keys[self.labels[keys] == name] for name in np.unique(self.labels[keys])]
        counts = shares(np.array([len(one) for one in of_classes]), k)
        herded = [self.herd(one, share) for one, share in zip(of_classes, counts, strict=True)]
        return np.sort(np.concatenate(herded)), None

    def herd(self, keys, k):
        """Next is the row that brings the mean of the picked nearest to the mean of all."""
        picked, points = [], self.points[keys]
        for number in range(k):
            means = (points[picked].sum(axis=0) + points) / (number + 1)
            far = np.linalg.norm(means - points.mean(axis=0), axis=1)
            far[picked] = np.inf
            picked.append(int(far.argmin()))
        return np.sort(keys[picked])


@SOME
@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    limit=st.integers(4, 60),
    cuts=st.lists(st.integers(0, 40), max_size=3),
    mix=st.none() | st.integers(0, 9),
)
def test_exemplars_are_herded_from_the_memory_and_what_is_new(sizes, limit, cuts, mix):
    """Class by class, in fair shares; so each trigger follows from the one before."""
    labels = np.random.default_rng(limit).choice(list("aaab"), sum(sizes)).tolist()
    model = Embedding(labels)
    found = through(named("herding", limit=limit), sizes, labels=labels, cuts=cuts, mix=mix, model=model)
    candidates, start = [], 0
    for size, (keys, _) in zip(sizes, found, strict=True):
        candidates = sorted({*candidates, *range(start, start + size)})
        start += size
        of_class = {name: [key for key in candidates if labels[key] == name] for name in "ab"}
        taken = {name: [key for key in keys if labels[key] == name] for name in "ab"}
        assert len(keys) == min(limit, len(candidates))
        for name, there in of_class.items():
            assert len(taken[name]) in (len(there), max(map(len, taken.values())), max(map(len, taken.values())) - 1)
            if there:
                assert taken[name] == model.herd(np.array(there), len(taken[name])).tolist()
        candidates = keys
    assert len(model.asked) <= len(sizes)  # once a trigger
    assert all(len(asked) > 0 for asked in model.asked)


def test_without_a_model_rows_of_a_class_are_drawn():
    """The memory is that of class_balanced_reservoir then, and a model that comes later goes on from it."""
    labels = list("aab") * 30
    of = lambda strategy, **more: chosen_of(named(strategy, limit=20), [90], labels=labels, **more)  # noqa: E731
    assert of("herding", seed=3) == of("class_balanced_reservoir", seed=3)
    assert of("herding", seed=3) != of("herding", seed=4)


def test_where_all_has_room_nobody_is_asked():
    labels = list("ab") * 45
    model = Embedding(labels)
    assert chosen_of(named("herding", limit=90), [40, 50], labels=labels, model=model)[1] == list(range(90))
    assert model.asked == []


def test_a_forecast_knows_how_much_is_selected():
    """From all rows, up to the limit; a train worker does it."""
    built = strategy_of(named("herding", limit=20))
    assert (built.selects_all, built.selects_at_most, built.reads_model, built.wants_labels) == (True, 20, True, True)
