"""Holdout models: which rows they may learn from, and what can be compared with."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shared.class_names import ClassNames
from shared.config.pipeline import Component, Split, TrainingStrategy
from shared.config.system import Dataset
from shared.dataset.discovery import discover
from shared.dataset.table import open_dataset
from shared.errors import ConfigurationError
from shared.messages.tasks import Watermarks
from shared.split import rows_in_split
from tests.unit.selection.trained import pieces, trained
from tests.unit.strategies.asked import named
from tests.unit.training.memory_dataset import with_changes
from tests.unit.training.samples import digits, flights, job, model, pipeline, prices, run, training
from workers.check import check
from workers.inference import load_model_bytes
from workers.selection.holdout import Holdouts, validation_keys
from workers.selection.importance.scores import scores
from workers.selection.known import Known
from workers.selection.reader import Source

SPLIT = Split(test=0.2, validation=0.3, by=None)


@pytest.fixture(scope="module")
def body(tmp_path_factory):
    """A model of flights."""
    return run(job(tmp_path_factory.mktemp("holdout"), flights())).body


@pytest.fixture
def uri(body, tmp_path):
    """Where it lies."""
    (tmp_path / "model.safetensors").write_bytes(body)
    return str(tmp_path / "model.safetensors")


def test_validation_rows_that_are_known_and_not_set_aside(tmp_path: Path) -> None:
    """By key, or by a column; up to the last known label, from the first followed row on."""
    (tmp_path / "data").mkdir()
    keys = np.arange(100)
    customers = pa.array(keys // 7)
    pq.write_table(pa.table({"time": keys, "customer": customers, "label": keys}), tmp_path / "data/a.parquet")
    config = Dataset(
        name="rows", kind="table", uri=str(tmp_path / "data"), timestamp="time", unit="s", label="label",
        features=("customer",), image=None, text=None,
    )  # fmt: skip
    dataset = open_dataset(config, discover(config, str(tmp_path / "runs")))
    known = Known(
        first_key=10,
        previous=(Watermarks(key=50, labelled_key=50),),
        trigger_id=1,
        trigger_key=90,
        labelled_key=80,
        left_out=((30, 39),),
    )
    own = rows_in_split(keys.view(np.uint64), "validation", test=0.2, validation=0.3)
    may = (keys >= 10) & (keys <= 80) & ~((keys >= 30) & (keys < 40))
    assert validation_keys(Source(dataset, SPLIT), known).tolist() == keys[own & may].tolist()
    by = validation_keys(Source(dataset, msgspec.structs.replace(SPLIT, by="customer")), known)
    assert set(by // 7) & set(np.setdiff1d(keys[may], by) // 7) == set()
    assert 0 < len(by) < may.sum()


def test_a_model_is_loaded_once_and_knows_later_classes(body, uri):
    """By its bytes, or where they lie; of what calls its classes otherwise nothing can be said."""
    calls = []

    def load(some):
        calls.append(some)
        loaded = load_model_bytes(some)
        loaded.header = msgspec.structs.replace(loaded.header, classes=ClassNames(names=("a",), until=9))
        return loaded

    holdouts = Holdouts(load, lambda: None)
    for where in (uri, uri, body, body):
        assert holdouts.loaded(where, ClassNames(names=("a", "b"), until=20)).header.classes.names == ("a", "b")
    assert calls == [body, body]
    assert holdouts.trained() is None
    with pytest.raises(ConfigurationError, match="the holdout model calls its classes 'a', and the dataset 'b'"):
        Holdouts(load, lambda: None).loaded(body, ClassNames(names=("b",), until=20))
    with pytest.raises(ConfigurationError, match=r"holdout model /none cannot be read: .* Name a model.safetensors"):
        holdouts.loaded("/none", None)


def test_models_of_other_outputs_are_not_compared(tmp_path):
    """Before a row is read."""
    two, three = (trained(tmp_path / str(n), flights(), num_classes=n) for n in (2, 3))
    with pytest.raises(ConfigurationError, match="the holdout model has 3 outputs, the current one 2"):
        scores("rho_loss", two, pieces(flights()), "label", three)


def only(pipeline, dataset=None):
    """The one finding at the strategy, exit 2."""
    (found,) = at_strategy(pipeline, dataset)
    assert found.exit_code == 2
    return found.sentence


def at_strategy(pipeline, dataset=None):
    """What the check finds there."""
    return [one for one in check(pipeline, dataset, (), "cpu") if one.path == "strategy"]


def chosen_by(name, **options):
    """As pipeline.yaml names it."""
    found = named(name, **options)
    return TrainingStrategy(name=found.name, options=found.options)


def choosing(name, chosen=None, loss="CrossEntropyLoss", **options):
    """A pipeline with such a strategy."""
    made = pipeline(chosen or model(), training(loss=Component(name=loss, config={})))
    return with_changes(made, strategy=chosen_by(name, fraction=0.5, **options))


def test_a_holdout_model_that_fits_is_not_complained_of(uri):
    for dataset in (flights(), None):
        assert check(choosing("rho_loss", holdout=uri), dataset, (), "cpu") == []
    assert check(choosing("rho_loss", holdout="validation"), flights(), (), "cpu") == []


def test_a_holdout_model_that_cannot_be_compared_with_is_found_before_the_run(uri, tmp_path):
    """That it is not there, is none, or is of another loss, other classes or other columns."""
    assert "none.safetensors cannot be read" in only(choosing("rho_loss", holdout=str(tmp_path / "none.safetensors")))
    (tmp_path / "text").write_text("no model")
    assert "is no holdout model" in only(choosing("rho_loss", holdout=str(tmp_path / "text")), flights())
    other = choosing("rho_loss", loss="MultiMarginLoss", holdout=uri)
    assert "was trained under CrossEntropyLoss, and training.loss is MultiMarginLoss" in only(other, flights())
    more = choosing("rho_loss", model(num_classes=3), holdout=uri)
    assert "has 2 outputs, and the model 3" in only(more, flights())
    assert "which dataset flights does not offer" in only(choosing("rho_loss", holdout=uri), prices_of_two_classes())


def prices_of_two_classes():
    """Other columns."""
    rows = prices()
    rows.table = rows.table.set_column(1, "label", pa.array(np.arange(100) % 2))
    return rows


@pytest.mark.parametrize("name", ["margin", "entropy", "least_confidence"])
def test_a_measure_of_classes_is_refused_where_numbers_are_learned(name):
    """Before the run, with a remedy."""
    told = only(choosing(name, model(num_classes=1), "MSELoss"), prices())
    assert "this one predicts numbers under MSELoss: write loss or gradient_norm" in told
    assert at_strategy(choosing("gradient_norm", model(num_classes=1), "MSELoss"), prices()) == []


def test_gradients_are_those_of_a_last_linear_layer():
    """Which the models of ours end with."""
    for dataset, chosen in ((flights(), model("mlp")), (digits(), model("small_cnn"))):
        assert check(choosing("gradient_norm", chosen), dataset, (), "cpu") == []
