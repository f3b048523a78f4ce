"""The composite is the mean over windows weighted by rows; what it is compared with is on the same rows."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.results.composite import composite
from tests.unit.results.finished_run import ToldRun, value

DEFINED = st.tuples(st.floats(-1e6, 1e6), st.integers(1, 10**6))
UNDEFINED = st.tuples(st.none(), st.integers(0, 10**6))


@given(st.lists(st.one_of(DEFINED, UNDEFINED)))
def test_composite_is_the_weighted_mean_of_what_is_defined(windows):
    """In exact fractions: Σ n·v / Σ n; undefined windows are left out and counted."""
    found = composite({i: value(i, "m", number, n) for i, (number, n) in enumerate(windows)})
    defined = [(Fraction(number), n) for number, n in windows if number is not None]
    assert found.undefined_windows == len(windows) - len(defined)
    if not defined:
        assert found.value is None
        return
    wanted = sum(number * n for number, n in defined) / sum(n for _, n in defined)
    assert found.value == pytest.approx(float(wanted), rel=1e-12, abs=1e-9)


def test_window_that_was_never_scored_is_undefined():
    """A run that stopped before a score came counts its window."""
    found = composite({0: value(0, "m", 0.5), 1: None})
    assert (found.value, found.undefined_windows) == (0.5, 1)


@pytest.fixture
def told(small):
    """Three models: 0 deployed, 1 not, 2 deployed; the window of 1 has no AUROC."""
    run = ToldRun(small)
    for index, deployed in enumerate((0, 0, 2)):
        run.trigger(index, deployed=deployed)
    for index, (own, first, auroc) in enumerate([(0.9, 0.9, 0.8), (0.7, 0.6, None), (0.8, 0.2, 0.6)]):
        rows = 10 * (index + 1)
        scores = [value(index, "accuracy", own, rows), value(index, "auroc", auroc, rows)]
        if index:
            scores += [value(0, "accuracy", first, rows), value(0, "auroc", 0.5, rows)]
        run.scored(index, *scores)
        run.baselined(
            index,
            majority=[value(index, "accuracy", 0.5, rows), value(index, "auroc", 0.1 * index, rows)],
            no_change=[value(index, "accuracy", 0.1, rows), value(index, "auroc", 0.3, rows)],
        )
    return run


def composites(told, metric):
    """Whose → composite of a metric."""
    return {whose: by[metric].value for whose, by in told.tally.composites(told.state).items()}


def test_each_window_counts_by_its_rows(told):
    """Own, first and deployed model, and both baselines."""
    assert composites(told, "accuracy") == {
        "pipeline": pytest.approx((10 * 0.9 + 20 * 0.7 + 30 * 0.8) / 60),
        "deployed": pytest.approx((10 * 0.9 + 20 * 0.6 + 30 * 0.8) / 60),
        "first_model": pytest.approx((10 * 0.9 + 20 * 0.6 + 30 * 0.2) / 60),
        "majority": pytest.approx(0.5),
        "no_change": pytest.approx(0.1),
    }


def test_what_is_compared_is_on_the_same_rows(told):
    """Where the pipeline has no score, nobody else's counts either."""
    found = composites(told, "auroc")
    assert found["pipeline"] == pytest.approx((10 * 0.8 + 30 * 0.6) / 40)
    assert found["majority"] == pytest.approx((10 * 0.0 + 30 * 0.2) / 40)
    assert found["first_model"] == pytest.approx((10 * 0.8 + 30 * 0.5) / 40)
    assert told.tally.composites(told.state)["pipeline"]["auroc"].undefined_windows == 1


def test_nothing_deployed_has_no_composite(small):
    """A gate that never opened leaves `deployed` without a number."""
    run = ToldRun(small)
    run.trigger(0)
    run.scored(0, value(0, "accuracy", 0.9), value(0, "auroc", 0.9))
    assert composites(run, "accuracy")["deployed"] is None


def test_zombies_and_slices_do_not_count(told):
    """A report of another attempt changes nothing, and scores on slices are no windows of the composite."""
    before = composites(told, "accuracy")
    told.scored(0, value(0, "accuracy", 0.0), value(0, "auroc", 0.0), attempt=2)
    told.sliced(0, value(0, "accuracy", 0.0, window="months", slice_="2013"))
    assert composites(told, "accuracy") == before


def test_scores_are_listed_once_under_their_own_trigger(told):
    """The first model's scores on later windows are for comparison; evaluations.csv has each window's own."""
    assert [(s.trigger_id, s.metric) for s in told.tally.scores] == [
        (trigger, metric) for trigger in range(3) for metric in ("accuracy", "auroc")
    ]
