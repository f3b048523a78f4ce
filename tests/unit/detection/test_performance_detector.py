"""The performance detector scores what may be known at the look, and nothing else."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from late_labels import LateLabels
from workplace import HOUR_US, Workplace

from shared.config.load import load_configuration
from shared.config.pipeline import Split
from shared.dataset.discovery import find
from shared.dataset.table import open_dataset
from shared.errors import RowError
from shared.labels.as_of import AsOf
from shared.labels.index import LabelIndex
from shared.labels.writer import LabelIndexWriter
from shared.split import rows_in_split
from workers.detection.detector import Sight
from workers.detection.performance import Performance
from workers.features.labelled_rows import KnownLabels, LabelledRows


class SaysOne:
    """A model that says class 1 whatever it sees."""

    classes, columns, encoding = 2, ("x0",), "x0"
    header = SimpleNamespace(classes=None)

    def __init__(self, sure=0.9):
        self.sure = np.float32(sure)

    def encode(self, table, keys):
        """Nothing of the rows matters."""
        return keys

    def labels(self, table, name, keys):
        """The labels as they stand there."""
        return table.column(name).to_numpy()

    def predict_encoded(self, encoded):
        """The same for all."""
        outputs = np.tile(np.array([1 - self.sure, self.sure], np.float32), (len(encoded), 1))
        return SimpleNamespace(read=lambda: outputs)


@pytest.fixture
def sight(small: Workplace):
    """2,000 rows an hour apart, seen up to row 1499; the model is that of trigger 1."""
    small.write()
    found = load_configuration(small.folder / "pipeline.yaml", small.folder / "config.yaml", experiment_mode=True)
    rows = found.system.datasets["rows"]
    return Sight(
        key=1499,
        timestamp_us=1499 * HOUR_US,
        labelled_key=1499,
        dataset=open_dataset(rows, find(rows, str(small.folder / "apart"), ()).entries),
        pipeline=found.pipeline,
        model=SaysOne(),
        model_trigger=1,
        seed=0,
    )


def answer(sight, window, **changes):
    """What it says of the rows since trigger 1, at row 999."""
    options = {"metric": None, "current": [1000, sight.key], "since_us": 999 * HOUR_US, "window": window}
    options |= {"trainings": [[0, 0, 499], [1, 500, 999]], "expected_of": None}
    return Performance({**options, **changes}).answer(sight)


def share_of_ones(sight, keys):
    """The accuracy of a model that says 1."""
    return float(np.mean(sight.dataset.labels(0, 2000)[np.asarray(keys)] == 1))


@pytest.mark.parametrize(
    ("window", "first"),
    [
        ({"rows": 100, "duration_s": None}, 1400),
        ({"since": {"key": 1299, "known": 300}}, 1300),
        ({"rows": None, "duration_s": 72_000.0}, 1480),
    ],
)
def test_the_window_ends_with_the_newest_row_that_is_known(sight, window, first):
    """All rows of all splits count; the model was trained on none of them."""
    found = answer(sight, window)
    assert (found["score"], found["n"]) == (share_of_ones(sight, range(first, 1500)), 1500 - first)
    assert (found["unlabelled"], found["known"], found["model"]) == (0, 500, 1)
    assert (found["metric"], found["greater_is_better"], found["error"]) == ("accuracy", True, None)


@pytest.mark.parametrize(
    ("window", "first"),
    [
        ({"rows": 100, "duration_s": None}, 1100),
        ({"since": {"key": 1299, "known": 150}}, 1150),
        ({"rows": None, "duration_s": 72_000.0}, 1180),
    ],
)
def test_labels_that_come_later_are_not_seen(sight, window, first):
    """The window is of rows that are known, and those behind them are counted."""
    found = answer(msgspec.structs.replace(sight, labelled_key=1199), window)
    assert (found["score"], found["n"]) == (share_of_ones(sight, range(first, 1200)), 1200 - first)
    assert (found["unlabelled"], found["known"]) == (300, 200)
    none = answer(msgspec.structs.replace(sight, labelled_key=999), window)
    assert (none["score"], none["n"], none["unlabelled"], none["known"]) == (None, 0, 500, 0)
    assert none["error"] == "no label is known"


def test_what_is_expected_is_the_score_on_the_held_out_rows_of_the_training_stretch(sight):
    """Split validation if there is one; once, and only of the model that is there."""
    keys = np.arange(500, 1000)
    for validation, name in ((0.0, "test"), (0.3, "validation")):
        split = Split(test=0.2, validation=validation, by=None)
        data = msgspec.structs.replace(sight.pipeline.data, split=split)
        pipeline = msgspec.structs.replace(sight.pipeline, data=data)
        found = answer(msgspec.structs.replace(sight, pipeline=pipeline), {"rows": 1})
        held_out = keys[rows_in_split(keys.astype(np.uint64), name, test=split.test, validation=split.validation)]
        assert (found["expected"], found["expected_n"]) == (share_of_ones(sight, held_out), len(held_out))
    assert answer(sight, {"rows": 1}, expected_of=1)["expected"] is None
    assert answer(sight, {"rows": 1}, expected_of=0)["expected"] is not None
    assert answer(sight, {"rows": 1}, trainings=[])["expected"] is None
    nothing = answer(msgspec.structs.replace(sight, model=None, model_trigger=None), {"rows": 1})
    assert (nothing["model"], nothing["score"], nothing["expected"]) == (None, None, None)


def test_another_metric_may_be_named(sight):
    """With its direction, which the policy does not know."""
    found = answer(sight, {"rows": 50}, metric={"name": "log_loss", "label": "log_loss", "options": {}})
    ones = share_of_ones(sight, range(1450, 1500))
    assert found["greater_is_better"] is False
    assert found["score"] == pytest.approx(-ones * np.log(0.9) - (1 - ones) * np.log(0.1), rel=1e-6)


class KnownSometimes:
    """Labels of which those of every third row are known."""

    are_texts = False

    def of(self, keys):
        """1 for each fourth of them."""
        return pa.array([int(key % 4 == 0) if key % 3 == 0 else None for key in keys.tolist()], pa.int64())


def test_labels_of_a_table_count_where_they_are_known(small: Workplace, sight):
    """The newest known rows, however many others lie between them."""
    late = LateLabels(small)
    times = sight.dataset.timestamps_us(0, 1500).astype("M8[us]")
    late.write("rows/a.parquet", {"timestamp": times, "id": range(1500), "x0": [0.5] * 1500})
    rows = LabelledRows(late.config, late.rows().entries, labels=KnownSometimes())
    sight = msgspec.structs.replace(sight, dataset=rows, labelled_key=1497)
    known = np.arange(1002, 1498, 3)
    for window, first in (({"rows": 30}, 1410), ({"duration_s": 9 * 3600.0}, 1489)):
        found, scored = answer(sight, window), known[known >= first]
        assert (found["n"], found["known"]) == (len(scored), len(known))
        assert found["score"] == float(np.mean(scored % 4 == 0))
        assert found["unlabelled"] == 1500 - first - len(scored)
    held_out = rows_in_split(np.arange(501, 1000, 3, dtype=np.uint64), "test", test=0.2, validation=0.0)
    assert found["expected_n"] == held_out.sum()


def test_a_row_counts_at_the_first_look_at_which_its_label_is_known(small: Workplace, sight, tmp_path):
    """Once, however soon or late that is: here a 1 after 40 rows, and a 0 after 140."""
    late, keys = LateLabels(small), np.arange(1500)
    times_us, ones = sight.dataset.timestamps_us(0, 1500), keys % 3 > 0
    late.write("rows/a.parquet", {"timestamp": times_us.astype("M8[us]"), "id": keys, "x0": [0.5] * 1500})
    known_us, ids = times_us + np.where(ones, 40, 140) * HOUR_US, pa.table({"id": keys})
    writer = LabelIndexWriter(tmp_path / "index", None)
    writer.found(0, ids, known_us, pa.chunked_array([ones.astype(np.int64)]), 0)
    writer.observe(0, [ids], times_us)
    index, looked, scored = LabelIndex(tmp_path / "index"), {"key": 999, "known": 0}, []
    for key in (1099, 1200, 1300, 1499):
        as_of = AsOf(event_time_us=int(times_us[key]), position=None)
        rows = LabelledRows(late.config, late.rows().entries, labels=KnownLabels(index, as_of))
        seen = msgspec.structs.replace(sight, key=key, labelled_key=key - 40, dataset=rows, label_index=index)
        found = answer(seen, {"since": looked})
        new = (
            (keys > 999) & (known_us <= times_us[key]) & ((known_us > times_us[looked["key"]]) | (keys > looked["key"]))
        )
        assert (found["n"], found["score"]) == (new.sum(), np.mean(ones[new]))
        assert found["unlabelled"] == key - 999 - found["known"]
        scored, looked = [*scored, found["n"]], {"key": key, "known": found["known"]}
    assert sum(scored) == looked["known"]
    again = answer(seen, {"since": looked})
    assert (again["n"], again["error"]) == (0, "no label is known")


def test_a_bad_row_ends_the_run_unless_that_goes_on_after_failures(sight):
    """Then there is no score, and why."""
    bad = msgspec.structs.replace(sight, model=Bad())
    with pytest.raises(RowError, match="label 7"):
        answer(bad, {"rows": 5})
    training = msgspec.structs.replace(sight.pipeline.training, on_failure="continue")
    bad = msgspec.structs.replace(bad, pipeline=msgspec.structs.replace(sight.pipeline, training=training))
    found = answer(bad, {"rows": 5})
    assert (found["score"], found["n"], found["error"]) == (None, 0, "label 7")


class Bad(SaysOne):
    """A model that cannot make anything of a label."""

    def labels(self, table, name, keys):
        """Raises RowError."""
        raise RowError("label 7")
