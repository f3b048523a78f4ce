"""Long looks of detectors say that they go on, and end soon when they are asked to."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from supervisor.triggers.drift.statistic import STREAMED, Statistic
from tests.unit.detection.seen import answered, dataset_of, sees
from tests.unit.training.samples import flights, job, run
from workers.detection.measures.by_features import by_features
from workers.detection.statistics import cvm, ks, mmd
from workers.evaluation.windows import Entrant
from workers.going_on import Interrupted
from workers.inference import load_model_bytes


class Asked:
    """A `go_on` that counts, and interrupts when it was asked so many times."""

    def __init__(self, most=None):
        self.times, self.most = 0, most

    def __call__(self):
        """Once more."""
        self.times += 1
        if self.times == self.most:
            raise Interrupted("enough")


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Two features of 400 rows."""
    values = np.random.default_rng(0).normal(size=(400, 2))
    return dataset_of(tmp_path_factory.mktemp("rows"), {"a": values[:, 0], "b": values[:, 1]})


@pytest.mark.parametrize("name", Statistic.fitting)
def test_every_statistic_can_be_interrupted(rows, name):
    """What the worker's process answers reaches into its loops, and no look takes it for a row that is odd."""
    if name in STREAMED:
        pytest.importorskip("river", reason="river is not installed; pip install '.[river]'", exc_type=ImportError)
    sight = msgspec.structs.replace(sees(rows), go_on=Asked(1))
    with pytest.raises(Interrupted):
        answered(sight, (0, 199), (200, 399), {"name": name, "decide": {"policy": "threshold", "threshold": 1}})


def test_more_work_says_more_often_that_it_goes_on():
    """With each block of 512 × 512 pairs, once for the median and once for the kernel."""
    values = np.random.default_rng(0).normal(size=(2_000, 3))
    few, many = Asked(), Asked()
    mmd(values[:100], values[100:200], go_on=few)
    mmd(values[:1_000], values[1_000:], go_on=many)
    assert (few.times, many.times) == (2, 2 * 10)
    with pytest.raises(Interrupted):
        mmd(values[:1_000], values[1_000:], go_on=Asked(15))


def test_a_few_features_at_a_time_have_the_same_values():
    """In their order, whether there are p-values or not; windows are as large as real ones."""
    values = np.random.default_rng(0).normal(size=(12_000, 13))
    asked = Asked()
    for measure in (ks, cvm):
        found = by_features(measure, values[:6_000], values[6_000:], asked)
        assert np.array_equal(found, measure(values[:6_000], values[6_000:]))
    assert asked.times == 2 * 3


def test_a_model_that_predicts_can_be_interrupted(tmp_path):
    """Between pieces of rows, and whatever is forgiven it; it predicts the same, and the one it came from is deaf."""
    loaded, dataset = load_model_bytes(run(job(tmp_path)).body), flights(3_000)
    keys = np.arange(3_000)
    encoded, asked = loaded.encode(dataset.table, keys), Asked()
    assert np.array_equal(loaded.heard(asked).predict_encoded(encoded).read(), loaded.predict_encoded(encoded).read())
    assert asked.times == 3
    loaded.heard(asked).embed(encoded)
    assert asked.times == 6
    entrant = Entrant(loaded.heard(Asked(2)), [], "label", forgiven=(Exception,))
    with pytest.raises(Interrupted):
        entrant.meet(dataset.table, keys, np.ones(3_000, np.bool_), _Encoded(encoded))


class _Encoded:
    """Rows that are encoded already."""

    def __init__(self, rows):
        self._rows = rows

    def by(self, model, table, keys):
        """The same for every model."""
        return self._rows
