"""Whether rows are enough to learn from: local regressions from wide to narrow, on rows alone."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from shared.config.pipeline import Metric
from shared.config.system import ImageColumn, Nulls
from tests.unit.detection.seen import dataset_of, sees
from workers.detection.enough_rows import EnoughRows
from workers.detection.measures.local_errors import LOCALITIES, LocalErrors


def rows_of(count, seed=0, flipped=0.0):
    """Two features, and a label that says whether their sum is above 0, but for a share of rows."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(count, 2))
    label = (x.sum(axis=1) > 0) ^ (random.random(count) < flipped)
    return x, label.astype(np.int64)


def looked(dataset, last_key, first_key=0, ignore=(), metric="accuracy", **changes):
    """The detector's answer, which JSON can hold."""
    metrics = (Metric(name=metric, label=metric, options={}),)
    pipeline = SimpleNamespace(evaluation=SimpleNamespace(metrics=metrics))
    known = {"labelled_key": last_key, **changes}
    sight = msgspec.structs.replace(sees(dataset, last_key), pipeline=pipeline, **known)
    answer = EnoughRows({"rows": [first_key, last_key], "ignore": list(ignore)}).answer(sight)
    return msgspec.json.decode(msgspec.json.encode(answer))


def test_errors_are_those_of_a_plain_loop():
    """Each row of the later half from all before it, by least squares whose weights fall with distance."""
    x, label = rows_of(30)
    found = LocalErrors(x, label[:, None].astype(float))
    errors = []
    for locality in LOCALITIES:
        for key in range(15, 30):
            r = np.linalg.norm(x[:key] - x[key], axis=1)
            root = np.exp(-locality * r / r.mean() / 2)
            inputs = np.c_[np.ones(key), x[:key]]
            beta, *_ = np.linalg.lstsq(inputs * root[:, None], label[:key] * root, rcond=None)
            errors.append(abs(np.r_[1, x[key]] @ beta - label[key]))
    expected = np.reshape(errors, (len(LOCALITIES), 15)).mean(axis=1)
    np.testing.assert_allclose(found.errors, expected, rtol=2e-3, atol=1e-3)
    assert found.fall == pytest.approx(found.errors[0] - found.errors[-1])
    assert found.needed == 2 * 3


def test_more_noise_needs_more_rows_and_noise_alone_is_never_enough(tmp_path):
    """The same rows: 100 are enough where labels are right, more where some are not, and none where they are dice."""
    first = {}
    for name, flipped in (("right", 0.0), ("some wrong", 0.2), ("dice", 0.5)):
        x, label = rows_of(800, seed=3, flipped=flipped)
        dataset = dataset_of(tmp_path / name, {"a": x[:, 0], "b": x[:, 1], "label": label})
        answers = {count: looked(dataset, count - 1) for count in (25, 100, 200, 400, 800)}
        first[name] = next((count for count, answer in answers.items() if answer["enough"]), None)
        assert not answers[25]["enough"]
        assert answers[25]["why"].startswith("of 25 rows with a known label ")
    assert first["right"] == 100
    assert 100 < first["some wrong"] <= 800
    assert first["dice"] is None


def test_what_labels_are_and_how_many_features_there_are_does_not_matter(tmp_path):
    """Numbers, texts, one class; texts, nulls and constants among features; 40 of them; images."""
    random = np.random.default_rng(0)
    x, label = rows_of(400)
    texts = pa.array([None if place % 9 == 0 else "ab"[place % 2] for place in range(400)])
    columns = {"a": x[:, 0], "b": x[:, 1], "c": texts, "d": np.ones(400)}
    kinds = {
        "text": pa.array(np.where(label, "yes", "no")),
        "one": np.ones(400, np.int64),
        "number": np.sin(2 * x[:, 0]),
    }
    for kind, labels in kinds.items():
        dataset = dataset_of(tmp_path / kind, {**columns, "label": labels}, nulls=Nulls(features="impute"))
        answer = looked(dataset, 399, metric="mae" if kind == "number" else "accuracy", ignore=["c"])
        assert answer["enough"] == (kind != "one"), (kind, answer)
    assert looked(dataset, 15)["why"] == "16 rows with a known label, 20 needed at least"
    same = dataset_of(tmp_path / "same", columns, nulls=Nulls(features="impute"))
    assert looked(same, 399)["why"] == "400 rows with a known label have all the same label"
    wide = {f"x{place}": x[:, place % 2] + 0.1 * random.normal(size=400) for place in range(40)}
    answer = looked(dataset_of(tmp_path / "wide", {**wide, "label": label}), 399)
    assert (answer["needed"], answer["rows"]) == (22, 400)
    pixels = (128 + 60 * np.repeat(x[:, :1], 16, axis=1).clip(-2, 2)).astype(np.uint8)
    images = dataset_of(
        tmp_path / "images",
        {"pixels": pa.array([one.tobytes() for one in pixels], pa.binary(16)), "label": (x[:, 0] > 0).astype(np.int64)},
        image=ImageColumn(column="pixels", shape=(1, 4, 4)),
    )
    assert looked(images, 399)["rows"] == 400


def test_only_rows_with_a_known_label_count_and_none_that_are_set_aside(tmp_path):
    """Under a delay the newest are not known; rows that are held are not of the new kind."""
    x, label = rows_of(400)
    label[200:] = np.random.default_rng(5).integers(0, 2, 200)  # what must not be seen
    dataset = dataset_of(tmp_path, {"a": x[:, 0], "b": x[:, 1], "label": label})
    assert looked(dataset, 399, labelled_key=199)["why"].startswith("of 200 rows with a known label")
    assert looked(dataset, 399, left_out=((200, 399),))["rows"] == 200
    assert looked(dataset, 399, labelled_key=199)["errors"] == looked(dataset, 199)["errors"]
    none = looked(dataset, 399, first_key=200, labelled_key=199)
    assert none == {"enough": False, "why": "0 rows with a known label, 20 needed at least", "rows": 0}
