"""The current model, asked for a coreset: of any rows that it can read, and as the public functions choose."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch

from shared.errors import ConfigurationError
from tests.unit.selection.trained import ending_in, labels, trained
from tests.unit.training.memory_dataset import MemoryDataset
from tests.unit.training.samples import digits, flights, names, prices
from workers.going_on import Interrupted
from workers.selection.asked_model import AskedModel
from workers.selection.coreset import craig, k_center
from workers.selection.coreset.lines import CHOICES

ROWS = flights(300)
OPTIONS = {"seed": 0, "per_class": False, "trade_off": 1.0, "regularisation": None}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("flights"), ROWS, hidden=[8])


def chosen(model, dataset, name, k, keys=None, space="embedding", **options):
    """Keys and weights, as a strategy gets them."""
    keys = np.arange(dataset.rows) if keys is None else keys
    found, weights = AskedModel(3, model, dataset).coreset(name, keys, k, {**OPTIONS, "space": space, **options})
    assert set(found.tolist()) <= set(keys.tolist())
    assert (np.diff(found) > 0).all()
    assert weights is None or (weights.dtype == np.float32 and len(weights) == len(found) and (weights > 0).all())
    return found.tolist(), weights


def test_rows_are_chosen_by_what_the_model_makes_of_them(model):
    """Of the keys that were given alone; weights are each line's."""
    keys = np.arange(0, 300, 3)
    rows, of_labels = ROWS.table.take(pa.array(keys)), labels(ROWS)[keys]
    embedded = torch.from_numpy(model.embed(model.encode(rows, keys))).float()
    found, weights = chosen(model, ROWS, "k_center", 20, keys)
    assert (found, weights) == (sorted(keys[k_center(embedded, 20)].tolist()), None)
    apart = torch.from_numpy(model.predict(rows)).double() - torch.eye(2)[of_labels]
    picked, counts = craig((apart[:, :, None] * embedded[:, None]).reshape(100, -1), 20)
    found, weights = chosen(model, ROWS, "craig", 20, keys, "gradient")
    assert found == sorted(keys[picked].tolist())
    assert weights.tolist() == pytest.approx((counts[picked.sort().indices] * len(picked) / 100).tolist())


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("space", ["input", "embedding", "gradient"])
def test_every_coreset_chooses_in_every_space(model, name, space):
    """And where there are fewer rows than are asked for, what there is; of no rows, none."""
    found, _ = chosen(model, ROWS, name, 30, space=space)
    assert 10 < len(found) <= 30
    few, _ = chosen(model, ROWS, name, 9, np.array([5, 17]), space)
    assert 1 <= len(few) <= 2
    assert chosen(model, ROWS, name, 0, np.empty(0, np.int64), space)[0] == []


def test_classes_are_those_of_the_labels(model):
    """Where one asks for as many rows of each, and beyond 15,000 rows, when all are too many to compare."""
    found, _ = chosen(model, ROWS, "k_center", 31, per_class=True)
    assert np.bincount(labels(ROWS)[found]).tolist() == [16, 15]
    many = flights(15_001)
    found, _ = chosen(model, many, "k_center", 31)
    assert np.bincount(labels(many)[found]).tolist() == [16, 15]
    assert np.bincount(labels(many)[chosen(model, many, "k_center", 31, np.arange(15_000))[0]])[0] != 16


def test_images_texts_and_numbers(tmp_path):
    """Each by what its model sees; texts have no distance letter by letter, and numbers no classes."""
    images = digits()
    found, _ = chosen(trained(tmp_path / "i", images, "small_cnn"), images, "grad_match", 10, space="gradient")
    assert 1 <= len(found) <= 10
    texts = names()
    model = trained(tmp_path / "t", texts, "text_bag")
    assert chosen(model, texts, "log_determinant", 10)[0] == [0, 1, 2, 3]  # there are four names
    with pytest.raises(ConfigurationError, match="write `embedding`"):
        chosen(model, texts, "k_center", 10, space="input")
    numbers = prices()
    model = trained(tmp_path / "n", numbers, "mlp", loss="MSELoss", hidden=[4], num_classes=1)
    found, weights = chosen(model, numbers, "craig", 10, space="gradient")
    assert (len(found), weights.mean()) == (10, pytest.approx(1))
    with pytest.raises(ConfigurationError, match="labels are numbers"):
        chosen(model, numbers, "craig", 10, space="gradient", per_class=True)


def test_a_null_is_what_the_model_takes_it_for(model):
    """NaN as well: the mean of its training."""
    table = ROWS.table.set_column(0, "wind", pa.array([None, float("nan"), *ROWS.table["wind"].to_pylist()[2:]]))
    for name in CHOICES:
        found, weights = chosen(model, MemoryDataset(table), name, 30, space="input")
        assert found
        assert weights is None or np.isfinite(weights).all()


def test_rows_of_one_class_are_chosen_from_as_well(model):
    alone = np.flatnonzero(labels(ROWS) == 1)
    for name in CHOICES:
        assert chosen(model, ROWS, name, 12, alone, "gradient", per_class=True)[0]


def test_a_model_without_such_a_layer_says_so(model):
    """It has embeddings still."""
    other = ending_in(model, torch.nn.Softplus(), "CrossEntropyLoss")
    with pytest.raises(ConfigurationError, match="does not end with its last torch.nn.Linear layer"):
        chosen(other, ROWS, "craig", 12, space="gradient")
    assert len(chosen(other, ROWS, "craig", 12)[0]) == 12


def test_what_takes_long_can_be_stopped(model):
    """While rows are seen, and while they are chosen."""
    for stop in (1, 5, 30):
        asked = iter(range(stop))

        def go_on(left=asked):
            if next(left, None) is None:
                raise Interrupted

        with pytest.raises(Interrupted):
            AskedModel(3, model, ROWS, go_on).coreset("craig", np.arange(300), 100, {**OPTIONS, "space": "gradient"})
