"""Training and predicting from the real dataset: files on disk, numbered by the manifest."""

from __future__ import annotations

import numpy as np
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from shared.config.pipeline import Metric
from shared.dataset.discovery import discover
from shared.dataset.table import open_dataset
from tests.unit.training.memory_dataset import with_changes
from tests.unit.training.samples import digits, flights, job, model, names, pipeline, run, training
from workers.check import check
from workers.evaluation.windows import Entrant, Rows, evaluate
from workers.inference import load_model_bytes

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
    evaluate([entrant], rows, dataset, [])
    (score,) = entrant.scores()
    part = flights().table.slice(20, 30)
    right = loaded.predict(part).argmax(axis=1) == np.array(part.column("label"))
    assert (score.n, score.value) == (30, right.mean())


@pytest.mark.parametrize(("dataset", "id"), CASES)
def test_the_check_reads_files(tmp_path, dataset, id):
    """A right pipeline on real files has no findings."""
    assert check(pipeline(model(id), training()), on_disk(dataset, tmp_path), (), "cpu") == []


ROWS, PIECES = 50_000, 3


def as_csv(row):
    """A line of CSV, whose numbers become fractions late in the file."""
    number, x, y = row
    return f"{number},{x!r},{number % 7 if number < 40_000 else 0.5},{y}\n"


def as_json(row):
    """The same as JSON, with blanks that make blocks of lines end in the midst of the file."""
    number, x, y = row
    return f'{{{" " * 60}"time": {number}, "x": {x!r}, "k": {number % 7 if number < 40_000 else 0.5}, "label": {y}}}\n'


@pytest.mark.parametrize(
    ("name", "head", "line"),
    [("log.csv", "time,x,k,label\n", as_csv), ("log.jsonl", "", as_json), ("m=1/log.csv", "time,x,k,label\n", as_csv)],
)
def test_in_pieces_or_in_one_a_file_teaches_the_same_to_the_last_bit(tmp_path, name, head, line):
    """Of a text file of some MB models and scores are the same bytes, however it was found, and wherever one begins."""
    random = np.random.default_rng(0)
    xs, ys = random.lognormal(size=ROWS).tolist(), random.integers(2, size=ROWS).tolist()
    lines = [line(row) for row in zip(range(ROWS), xs, ys, strict=True)]
    config = with_changes(flights().config, uri=str(tmp_path / "data"), unit="s")
    path = tmp_path / "data" / name
    path.parent.mkdir(parents=True)
    path.write_text(head)
    for piece in range(PIECES):
        with path.open("a") as file:
            file.writelines(lines[piece * ROWS // PIECES : (piece + 1) * ROWS // PIECES])
        found = discover(config, str(tmp_path / "in pieces"))
    assert len(found) == PIECES
    taught = [taught_by(tmp_path, open_dataset(config, one)) for one in (found, discover(config, str(tmp_path)))]
    assert taught[0] == taught[1]


def taught_by(folder, dataset):
    """A model of all rows and one of later ones, in bytes, and a score."""
    quick = training(epochs=1, batch_size=8_192)
    all_of_it, later = (
        run(job(folder, dataset, keys=keys, weights=np.ones(len(keys), np.float32), training=quick)).body
        for keys in (np.arange(ROWS), np.arange(20_001, ROWS, 3))
    )
    metrics = [Metric(name="log_loss", label="log_loss", options={})]
    entrant = Entrant(load_model_bytes(all_of_it), metrics, dataset.config.label)
    rows = Rows(first_key=17_000, stop_key=ROWS, first_timestamp_us=None, last_timestamp_us=None)
    evaluate([entrant], rows, dataset, [])
    return all_of_it, later, entrant.scores()
