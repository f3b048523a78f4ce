"""Training and predicting from the real dataset: files on disk, numbered by the manifest."""

from __future__ import annotations

import numpy as np
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from shared.dataset.manifest import discover
from shared.dataset.table import open_dataset
from tests.unit.training.memory_dataset import with_changes
from tests.unit.training.samples import digits, flights, job, model, names, pipeline, run, training
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
    first_keys, outputs, labels = zip(*loaded.predict_batches(dataset, 20, 50, 100), strict=True)
    assert first_keys == (20, 30)
    assert np.concatenate(outputs).shape == (30, 2)
    assert np.concatenate(labels).tolist() == flights().table.column("label").to_pylist()[20:50]


@pytest.mark.parametrize(("dataset", "id"), CASES)
def test_the_check_reads_files(tmp_path, dataset, id):
    """A right pipeline on real files has no findings."""
    assert check(pipeline(model(id), training()), on_disk(dataset, tmp_path), (), "cpu") == []
