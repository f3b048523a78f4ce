"""Labels that are texts teach what the same labels teach where they are numbered by hand."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest
import torch

from shared.class_names import ClassNames
from shared.config.pipeline import Component
from shared.config.system import Nulls
from shared.errors import ConfigurationError, RowError
from tests.unit.training.memory_dataset import MemoryDataset, with_changes
from tests.unit.training.samples import flights, job, model, pipeline, prices, run, training
from workers.check import check
from workers.inference import load_model_bytes
from workers.models.model_file import unpack

NAMES = ("on time", "late ")
KNOWN = ClassNames(names=NAMES, until=199)
VALUES = Component(name="MSELoss", config={})


def with_labels(dataset, labels, **changes):
    """The dataset with another label column."""
    columns = dataset.table.drop_columns("label").append_column("label", labels)
    other = MemoryDataset(columns)
    other.config = with_changes(other.config, **changes)
    return other


def in_words(dataset, names=NAMES, type_=None, **changes):
    """The dataset with names for the numbers of its classes."""
    numbers = dataset.table.column("label").to_pylist()
    return with_labels(dataset, pa.array([names[number] for number in numbers], type_), **changes)


LOSSES = [("CrossEntropyLoss", 2), ("BCEWithLogitsLoss", 1), ("SoftMarginLoss", 1)]


@pytest.mark.parametrize(("loss", "outputs"), LOSSES)
def test_texts_teach_what_numbers_teach(tmp_path, loss, outputs):
    """The weights are the same to the bit, whatever the loss makes of classes, and the model knows their names."""
    fit = {"model": model(num_classes=outputs), "training": training(loss=Component(name=loss, config={}))}
    numbers = unpack(run(job(tmp_path / "a", **fit)).body)
    texts = unpack(run(job(tmp_path / "b", in_words(flights()), **fit, classes=KNOWN)).body)
    assert all(torch.equal(texts.weights[name], one) for name, one in numbers.weights.items())
    assert (numbers.header.classes, texts.header.classes) == (None, KNOWN)


def test_the_header_of_a_model_of_numbers_is_as_it_always_was(tmp_path):
    """Models without names of classes are the same bytes as those of before there were any."""
    body = run(job(tmp_path)).body
    header = body[8 : 8 + int.from_bytes(body[:8], "little")].decode()
    assert "classes" not in header.replace("num_classes", "")
    assert '\\"format\\":1' in header


def test_a_model_says_labels_by_name(tmp_path):
    """The likeliest of the classes that it has met; numbers where they have no names, and values where it has none."""
    room = model(num_classes=4)
    texts = load_model_bytes(run(job(tmp_path / "a", in_words(flights()), model=room, classes=KNOWN)).body)
    numbers = load_model_bytes(run(job(tmp_path / "b", model=room)).body)
    table = flights().table
    likeliest = texts.predict(table)[:, :2].argmax(axis=1)
    assert texts.predict_labels(table).tolist() == [NAMES[number] for number in likeliest]
    assert numbers.predict_labels(table).tolist() == numbers.predict(table).argmax(axis=1).tolist()
    assert (texts.class_names, numbers.class_names, texts.classes) == (NAMES, None, 4)
    fit = {"model": model(num_classes=1), "training": training(loss=VALUES)}
    values = load_model_bytes(run(job(tmp_path / "c", prices(), **fit)).body)
    assert values.predict_labels(prices().table).tolist() == values.predict(prices().table).tolist()
    assert values.class_names is None


def test_a_model_that_has_heard_of_later_classes_knows_their_numbers(tmp_path):
    """So rows that it gets wrong for want of them are scored; without them they have no number."""
    room = model(num_classes=4)
    loaded = load_model_bytes(run(job(tmp_path, in_words(flights()), model=room, classes=KNOWN)).body)
    rows = pa.table({"label": ["late ", "cancelled"]})
    heard = loaded.knowing(ClassNames(names=(*NAMES, "cancelled"), until=300))
    assert heard.labels(rows, "label", np.arange(2)).tolist() == [1, 2]
    with pytest.raises(RowError, match="key 1 is 'cancelled'.*Use a model that was trained with it"):
        loaded.labels(rows, "label", np.arange(2))


def test_a_training_ends_at_a_label_that_there_is_no_room_for(tmp_path):
    """Key, label and remedy are told."""
    labels = flights().table.column("label").to_pylist()
    labels[123] = 2
    many = in_words(with_labels(flights(), pa.array(labels)), (*NAMES, "cancelled"))
    with pytest.raises(RowError, match="key 123 is 'cancelled'.*'on time', 'late '.*num_classes to 3"):
        run(job(tmp_path, many, classes=KNOWN))


def test_weights_whose_classes_are_called_otherwise_are_refused(tmp_path):
    """Their outputs would stand for other classes than the labels do."""
    before = run(job(tmp_path / "a", in_words(flights()), classes=KNOWN)).body
    turned = ClassNames(names=NAMES[::-1], until=199)
    told = "calls its classes 'on time', 'late ', and the dataset 'late ', 'on time'.*`classes`"
    with pytest.raises(ConfigurationError, match=told):
        run(job(tmp_path / "b", in_words(flights()), previous=before, classes=turned))
    more = ClassNames(names=(*NAMES, "cancelled"), until=299)
    again = run(job(tmp_path / "c", in_words(flights()), previous=before, classes=more)).body
    assert unpack(again).header.classes == more


def test_a_pretrained_model_whose_classes_are_called_otherwise_is_found_early(tmp_path):
    """Where the dataset lists its classes."""
    (tmp_path / "model").write_bytes(run(job(tmp_path, in_words(flights()), classes=KNOWN)).body)
    start = str(tmp_path / "model")
    assert findings(in_words(flights(), classes=NAMES), pretrained_uri=start) == []
    (found,) = findings(in_words(flights(), classes=NAMES[::-1]), pretrained_uri=start)
    assert (found.exit_code, found.path) == (2, "model.initial.pretrained")


def findings(dataset, loss="CrossEntropyLoss", metric="accuracy", **of_model):
    """What the check says."""
    fit = training(loss=Component(name=loss, config={}))
    return check(pipeline(model(**of_model), fit, (metric,)), dataset, (), "cpu")


@pytest.mark.parametrize("type_", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_the_check_lets_texts_pass(type_):
    """In any type that holds them, and with one output for two classes."""
    assert findings(in_words(flights(), type_=type_)) == []
    assert findings(in_words(flights()), num_classes=1, loss="BCEWithLogitsLoss") == []
    assert findings(in_words(flights(), classes=NAMES)) == []
    assert findings(with_labels(flights(), flights().table.column("label").cast(pa.bool_()), classes=NAMES)) == []


THREE = ["a", "b", "c", "a"] * 50


@pytest.mark.parametrize(
    ("labels", "classes", "exit_code", "path", "told"),
    [
        (THREE, None, 3, "data.dataset", "the labels in label are of 3 classes, 'a', 'b', 'c', but the model tells 2"),
        (THREE, ("a", "b", "c"), 3, "data.dataset", "`classes` names 3 classes, 'a', 'b', 'c', but the model tells 2"),
        (THREE, ("a", "b"), 3, "data.dataset", "The label at key 2 is 'c'.*Name it under `classes` of the dataset"),
        ([0, 1, 2, 0] * 50, ("a", "b"), 3, "data.dataset", "The label at key 2 is 2, but `classes` names 0 to 1"),
        ([1, 2, 1, 2] * 50, ("1", "2"), 3, "data.dataset", "`classes` calls the label 0 '1'; labels are numbers"),
        ([True, False] * 100, ("true", "false"), 3, "data.dataset", "`classes` calls the label 0 'true'"),
    ],
)
def test_the_check_counts_classes(labels, classes, exit_code, path, told):
    """More than the model tells apart, or one that is not listed: before anything is trained."""
    outputs = 3 if 2 in labels else 2
    (found,) = findings(with_labels(flights(), pa.array(labels), classes=classes), num_classes=outputs)
    assert (found.exit_code, found.path) == (exit_code, path)
    assert re.search(told, found.sentence), found.sentence


def test_a_text_that_is_not_there_is_found_by_key():
    """Where rows without a label are not dropped; where they are, it is no class."""
    labels = pa.array(["a", None, "b", "a"] * 50)
    (found,) = findings(with_labels(flights(), labels))
    assert (found.exit_code, found.path) == (3, "data.dataset")
    assert "null at key 1" in found.sentence
    assert findings(with_labels(flights(), labels, nulls=Nulls(labels="drop"))) == []


@pytest.mark.parametrize(
    ("dataset", "told"),
    [
        (in_words(flights()), "MSELoss learns numbers, but label of dataset flights is text"),
        (with_labels(prices(), prices().table.column("label"), classes=NAMES), "dataset flights names its `classes`"),
    ],
)
def test_a_loss_of_numbers_learns_no_classes(dataset, told):
    """The sentence names the loss and offers another."""
    (found,) = findings(dataset, num_classes=1, loss="MSELoss", metric="mse")
    assert (found.exit_code, found.path) == (2, "training.loss.name")
    assert told in found.sentence
    assert "choose a loss of classes, such as CrossEntropyLoss" in found.sentence


def test_texts_that_come_late_teach_no_numbers(tmp_path):
    """Where there were no rows yet when the pipeline was checked."""
    with pytest.raises(RowError, match="'label' is of type string, but the loss learns numbers"):
        run(job(tmp_path, in_words(flights()), model=model(num_classes=1), training=training(loss=VALUES)))
