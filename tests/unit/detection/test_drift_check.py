"""A drift that can never be measured is found by the check, before a run starts."""

from __future__ import annotations

import sys

import msgspec
import pytest
from torch import nn

from shared.config.pipeline import Trigger
from shared.config.schema.trigger import TriggerBlock
from supervisor.triggers.data_drift import DataDrift
from supervisor.triggers.performance_forecast import PerformanceForecast
from tests.unit.training.samples import digits, flights, model, names, pipeline
from workers.check import check


class Convolved(nn.Module):
    """A model that predicts through no linear layer."""

    def __init__(self, in_features):
        super().__init__()
        self.weights = nn.Conv1d(in_features, 2, 1)

    def forward(self, rows):
        """(rows, features) → (rows, 2)."""
        return self.weights(rows[:, :, None])[:, :, 0]


class Apart(nn.Module):
    """One whose last linear layer sees no row by itself."""

    def __init__(self, in_features):
        super().__init__()
        self.last = nn.Linear(in_features, 2)

    def forward(self, rows):
        """(rows, features) → (rows, 2)."""
        return rows.mean() + self.last(rows.mean(dim=0, keepdim=True)) + rows[:, :2]


def found(trigger, dataset, of=None):
    """What the check says of a pipeline with this trigger."""
    wanted = msgspec.structs.replace(pipeline(of or model()), trigger=trigger)
    return [(one.path, one.sentence) for one in check(wanted, dataset, (__name__,), "cpu")]


def drift(**options):
    """`trigger: {policy: data_drift, …}`, as it is loaded."""
    return Trigger(name="data_drift", options=DataDrift.Schema().load(options))


def test_what_can_be_measured_is_not_complained_of():
    """Features of a table; a model's embedding of texts; without rows nothing is judged."""
    assert found(drift(), flights()) == found(drift(space="embedding"), flights()) == []
    assert found(drift(space="embedding"), names(), model("text_bag")) == []
    assert found(drift(), None, model("text_bag")) == []


def test_forecasts_ask_about_drift_too():
    """What they compare of two looks must be there, too."""
    options = PerformanceForecast.Schema().load({"every": 10, "ignore": ["tmep"]})
    ((_, sentence),) = found(Trigger(name="performance_forecast", options=options), flights())
    assert "`ignore` names tmep, which is no feature column" in sentence
    assert found(Trigger(name="performance_forecast", options={**options, "ignore": []}), flights()) == []


def test_texts_are_no_numbers():
    """Also of a policy within an ensemble."""
    ensemble = Trigger(name="ensemble", options={"policies": {"one": msgspec.to_builtins(drift())}})
    for trigger in (drift(), ensemble):
        ((path, sentence),) = found(trigger, names(), model("text_bag"))
        assert path == "trigger"
        assert "write `space: embedding`" in sentence


@pytest.mark.parametrize(
    ("ignored", "why"),
    [
        (["wimd"], "`ignore` names wimd, which is no feature column of dataset flights; did you mean wind?"),
        (["label"], "there are wind, delay, origin."),
        (["wind", "delay", "origin"], "leave one to compare"),
    ],
)
def test_columns_that_cannot_be_left_out(ignored, why):
    """A name that is no feature, and all of them; else it is well."""
    ((path, sentence),) = found(drift(ignore=ignored), flights())
    assert path == "trigger"
    assert why in sentence
    assert found(drift(ignore=["wind"]), flights()) == []


@pytest.mark.parametrize(
    ("dataset", "of", "options", "most"),
    [
        (flights(), model(), {"ignore": ["origin", "wind"]}, 1),
        (flights(), model(), {"ignore": ["origin"]}, 2),
        (flights(), model(), {}, 105),  # a text has a hundred categories, others, new ones, and none
        (digits(), model("mlp"), {}, 64),
        (names(), model("text_bag", dim=8), {"space": "embedding"}, 8),
    ],
)
def test_more_principal_components_than_features(dataset, of, options, most):
    """Whatever is compared; as many as there can be are well."""
    assert found(drift(pca=most, **options), dataset, of) == []
    ((path, sentence),) = found(drift(pca=most + 1, **options), dataset, of)
    assert path == "trigger"
    assert f"write `pca: {most}` or less" in sentence


@pytest.mark.parametrize(("kind", "why"), [("Convolved", "has no embedding"), ("Apart", "no embedding of each row")])
def test_a_model_without_an_embedding(kind, why):
    """Its classes say what they are; the model that was tried is left as it was."""
    own = msgspec.structs.replace(model(), id=f"{__name__}:{kind}", config={})
    ((path, sentence),) = found(drift(space="embedding"), flights(), own)
    assert path == "trigger"
    assert why in sentence
    assert sentence.endswith("write `space: input`.")


def test_stream_detectors_without_their_package(monkeypatch):
    """The sentence names the extra."""
    monkeypatch.setitem(sys.modules, "river", None)
    ((path, sentence),) = found(drift(statistics=[{"name": "adwin"}]), flights())
    assert path == "trigger"
    assert 'pip install ".[river]"' in sentence


def waiting(**options):
    """`trigger: {policy: data_amount, every: 500, after_drift: {…}}`, as it is loaded."""
    return TriggerBlock("").deserialize({"policy": "data_amount", "every": 500, "after_drift": options})


def test_rows_that_are_tested_must_be_numbers():
    """Texts are none without a model; columns that are left out must be there. A number of rows needs nothing."""
    assert refused_after_drift(names(), rows="auto") == (
        "dataset flights is text, and `after_drift: {rows: auto}` looks at rows of numbers, without a model; write a "
        "number of rows, such as `rows: 500`."
    )
    assert refused_after_drift(names(), rows=500) is None
    assert refused_after_drift(digits(), rows="auto") is None
    assert "`ignore` names moon, which is no feature" in refused_after_drift(flights(), rows="auto", ignore=["moon"])


def refused_after_drift(dataset, **options):
    """What the check says of it; None: nothing."""
    block = waiting(**options)
    trigger = Trigger(name=block["name"], options=block["options"], guards=block["guards"])
    told = [sentence for path, sentence in found(trigger, dataset) if path == "trigger.after_drift"]
    return told[0] if told else None
