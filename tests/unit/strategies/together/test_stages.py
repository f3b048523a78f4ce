"""Strategies one behind the other: what each sees, what its lines weigh, and what is kept."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from shared.strategies.plain.uniform import Uniform
from shared.strategies.strategy import Piece, Strategy
from shared.strategies.together.stages import Stages
from tests.unit.strategies.asked import asked, built, selected

HALF = {"name": "uniform", "fraction": 0.5}


class Drawn(Strategy):
    """Rows with repetition, of which each line weighs n·p to the -1, as importance does."""

    def select(self, request, state, model):
        """As many lines as it takes to draw some again."""
        keys = np.concatenate(list(request.rows(1)))
        chances = (keys + 1) / (keys + 1).sum()
        draws = np.sort(np.random.default_rng(request.seed).choice(len(keys), 40, p=chances))
        weights = 1 / (len(keys) * chances[draws])
        return iter([(keys[draws], weights.astype(np.float32))]), state


class Counting(Strategy):
    """All rows; it keeps how many times it was asked."""

    def select(self, request, state, model):
        """Once more."""
        return ((keys, np.ones(len(keys), np.float32)) for keys in request.rows(1)), (state or 0) + 1


def uniform(**options):
    """A stage."""
    return Uniform(Uniform.Schema().load(options))


def test_each_selects_from_what_the_one_before_selected():
    """A half of a half; a later stage need not say of which rows."""
    request = asked([2] * 500 + [0] * 500, cuts=(300, 700))
    first, _, _ = selected(built(**HALF, of="all"), request)
    keys, weights, _ = selected(built("pipeline", stages=[{**HALF, "of": "all"}, HALF]), request)
    assert len(first) == 500
    assert len(keys) == 250
    assert set(keys) < set(first)
    assert min(keys) < 500 <= max(keys)
    assert set(weights) == {1.0}


@pytest.mark.parametrize("seeds", [(None, 0), (0, None), (3, 3), (None, None), (0, 0)])
def test_no_two_stages_draw_alike(seeds):
    """Whatever their seeds: of three halves, the last has rows of both sorts that the first would take alone."""
    first, second = ({**HALF} if seed is None else {**HALF, "seed": seed} for seed in seeds)
    request = asked([0] * 4000)
    half = selected(built(**first), request)[0]
    quarter = selected(built("pipeline", stages=[first, second]), request)[0]
    alike = set(selected(built("uniform", fraction=0.25, seed=seeds[0] or 0), request)[0])
    assert len(quarter) == 1000
    assert set(quarter) < set(half)
    assert 400 < len(alike & set(quarter)) < 600


def test_a_rule_behind_a_choice_has_another_seed():
    """So that epochs do not follow from what was chosen."""
    rules = [
        built("pipeline", stages=[{**HALF}, {"name": "rs2", **seed}]).rule(asked([0]))
        for seed in ({}, {"seed": 0}, {"seed": 1})
    ]
    alone = built("rs2").rule(asked([0])).options["seed"]
    seeds = [rule.options["seed"] for rule in rules]
    assert seeds[0] == seeds[1]
    assert len({alone, *seeds}) == 3


def test_times_and_labels_are_those_of_the_rows_that_are_left():
    """Of new rows, of all, and of those that a window of all took."""
    times, labels = [key * 1_000_000 for key in range(100)], ["ab"[key % 10 == 0] for key in range(100)]
    for first, rows in (({"name": "new_data"}, 50), ({"name": "latest", "limit": 70}, 70)):
        stages = [first, {"name": "balanced", "by": "label"}, {"name": "recency", "half_life": "20s"}]
        request = asked([1] * 50 + [0] * 50, times=times, labels=labels, cuts=(20, 60))
        keys, weights, _ = selected(built("pipeline", stages=stages), request)
        assert [key for key in keys if key % 10 == 0] == list(range(100 - rows, 100, 10))
        assert len(keys) == 2 * rows // 10
        assert np.diff(weights).min() > 0
        assert np.mean(weights) == pytest.approx(1)


def test_a_line_weighs_the_product_of_what_the_stages_say():
    """As far as a later stage left its row."""
    times = [key * 1_000_000 for key in range(100)]
    recent = {"name": "recency", "half_life": "20s"}
    request = asked([0] * 100, times=times)
    before = dict(zip(*selected(built(**recent), request)[:2], strict=True))
    keys, weights, _ = selected(built("pipeline", stages=[recent, {"name": "latest", "limit": 10}]), request)
    assert keys == list(range(90, 100))
    assert weights == [before[key] for key in keys]
    keys, weights, _ = selected(built("pipeline", stages=[recent, recent]), request)
    assert np.allclose(weights, np.square(list(before.values())))


def test_the_mean_stays_an_estimate_without_bias():
    """Of what the first stage chose from, also where it draws rows repeatedly: over 3,000 seeds, within 4 errors."""
    values, means = np.arange(30) ** 2 / 100, []
    for seed in range(3000):
        keys, weights, _ = selected(Stages([Drawn({}), uniform(fraction=0.5)]), asked([0] * 30, seed=seed))
        assert len(set(keys)) == len(keys)
        means.append(np.mean(np.array(weights) * values[keys]))
    error = np.std(means) / np.sqrt(len(means))
    assert abs(np.mean(means) - values.mean()) < 4 * error


def test_a_row_drawn_repeatedly_weighs_what_its_lines_weighed():
    """The mean over the rows is that over the lines, whatever is measured of a row."""
    request, values = asked([0] * 30, seed=5), np.random.default_rng(0).normal(size=30)
    lines, weights, _ = selected(Drawn({}), request)
    keys, summed, _ = selected(Stages([Drawn({}), Counting({})]), request)
    assert len(keys) < len(lines)
    assert np.mean(values[keys] * summed) == pytest.approx(np.mean(values[lines] * weights), rel=1e-6)


def test_nothing_is_nothing():
    """No row is left, or none was there."""
    stages = [{"name": "sliding_window", "last": "1s"}, {"name": "balanced", "by": "label"}, {**HALF}]
    assert selected(built("pipeline", stages=stages), asked([], times=[0], labels=[]))[:2] == ([], [])


def test_each_keeps_its_own():
    """By its place; nobody who keeps nothing is asked to."""
    both = Stages([uniform(fraction=1.0), Counting({}), Counting({})])
    _, _, state = selected(both, asked([0] * 10))
    _, _, state = selected(both, asked([0] * 10), state)
    assert state == [None, 2, 2]
    assert selected(Stages([uniform(fraction=1.0)] * 2), asked([0] * 10))[2] is None


def test_the_first_may_remember():
    """It observes for itself, and the others choose from its memory, old rows as well."""
    together = built("pipeline", stages=[{"name": "remembering", "limit": 50}, {"name": "balanced", "by": "label"}])
    assert together.observes
    assert together.wants_labels
    request = asked([1] * 100 + [0] * 100, labels=["ab"[key % 2] for key in range(200)])
    state = None
    for start in (0, 100):
        piece = Piece(keys=np.arange(start, start + 100), rows=None, labels=pa.chunked_array([[0] * 100]))
        state = together.observe(piece, state)
    keys, _, kept = selected(together, request, state)
    assert min(keys) < 100 <= max(keys)
    assert sum(key % 2 for key in keys) * 2 == len(keys)
    assert kept[0]["selections"] == 1


def test_a_stage_must_keep_to_its_rows():
    """Others' code may not."""

    class Stubborn(Strategy):
        def select(self, request, state, model):
            return iter([(np.array([3]), np.ones(1, np.float32))]), state

    with pytest.raises(ValueError, match="a stage chose key 3, which the stage before it had not selected"):
        selected(Stages([built("latest", limit=2), Stubborn({})]), asked([0] * 10))


def test_what_others_must_know_of_it():
    """Forecasts, and who waits for a model."""
    together = built(
        "pipeline", stages=[{"name": "latest", "limit": 90}, {"name": "unsure"}, {"name": "recency", "half_life": "1s"}]
    )
    assert (together.selects_all, together.selects_at_most, together.weighs) == (True, 90, True)
    assert together.reads_model
    assert together.reads_model_at(0)
    assert not together.observes
    assert built("pipeline", stages=[{**HALF, "tail": 2}, HALF]).earlier_triggers == 3
