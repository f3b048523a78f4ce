"""Training and predicting from the real dataset: files on disk, numbered by the manifest."""

from __future__ import annotations

import numpy as np
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from shared.config.pipeline import Metric, Split
from shared.dataset.discovery import discover
from shared.dataset.table import open_dataset
from tests.unit.training.memory_dataset import with_changes
from tests.unit.training.samples import digits, flights, job, model, names, pipeline, run, training
from workers.evaluation.windows import Entrant, Rows, evaluate
from workers.inference import load_model_bytes
from workers.training.check import check

CASES = [(flights(), "logistic"), (digits(), "small_cnn"), (names(), "text_bag")]


def on_disk(dataset, folder, write=pq.write_table, ending="parquet"):
    """The rows of a dataset in memory as two files."""
    (folder / "data").mkdir(parents=True)
    table = dataset.table.append_column("time", [np.arange(dataset.rows)])
    for part, rows in enumerate([table.slice(0, 30), table.slice(30)]):
        write(rows, folder / "data" / f"{part}.{ending}")
    config = with_changes(dataset.config, uri=f"{folder}/data/*.{ending}", unit="s")
    return open_dataset(config, discover(config, str(folder)))


@pytest.mark.parametrize(("dataset", "id"), CASES)
def test_files_teach_what_memory_teaches(tmp_path, dataset, id):
    """Tables, images and texts: the same rows from Parquet files make a model that predicts the same."""
    from_files = run(job(tmp_path / "a", on_disk(dataset, tmp_path), model=model(id)))
    assert load_model_bytes(from_files.body).predict(dataset.table) == pytest.approx(
        load_model_bytes(run(job(tmp_path / "b", dataset, model=model(id))).body).predict(dataset.table), abs=1e-5
    )


def test_csv_files_train_too(tmp_path):
    """Numbers and texts of CSV files are features like those of Parquet files."""
    dataset = on_disk(flights(), tmp_path, pa_csv.write_csv, "csv")
    assert run(job(tmp_path, dataset)).samples == 200


def test_a_range_over_two_files_is_predicted(tmp_path):
    """Keys and labels go on across the border of two files."""
    dataset = on_disk(flights(), tmp_path)
    loaded = load_model_bytes(run(job(tmp_path, dataset)).body)
    accuracy = [Metric(name="accuracy", label="accuracy", options={})]
    entrant = Entrant(loaded, accuracy, dataset.config.label)
    rows = Rows(first_key=20, stop_key=50, first_timestamp_us=None, last_timestamp_us=None)
    evaluate([entrant], rows, dataset, (None, Split(test=0.0, validation=0.0, by=None)))
    (score,) = entrant.scores()
    part = flights().table.slice(20, 30)
    right = loaded.predict(part).argmax(axis=1) == np.array(part.column("label"))
    assert (score.n, score.value) == (30, right.mean())


@pytest.mark.parametrize(("dataset", "id"), CASES)
def test_the_check_reads_files(tmp_path, dataset, id):
    """A right pipeline on real files has no findings."""
    assert check(pipeline(model(id), training()), on_disk(dataset, tmp_path), (), "cpu") == []
