"""The check: every mistake that only the framework can see, each found by itself, with its path."""

from __future__ import annotations

import re

import msgspec
import pyarrow as pa
import pytest
from torch import nn

from shared.config.pipeline import Component, Metric, Model, Scheduler, TrainingStrategy
from tests.unit.training.memory_dataset import MemoryDataset, with_changes
from tests.unit.training.samples import digits, flights, job, model, names, pipeline, prices, run, training
from workers.check import check
from workers.inference import load_model_bytes


def findings(pipeline, dataset=None, device="cpu", trusted=()):
    return check(pipeline, dataset, trusted, device)


def only(found):
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("dataset", "id"),
    [
        (flights(), "logistic"),
        (flights(), "mlp"),
        (digits(), "small_cnn"),
        (digits(), "resnet18"),
        (names(), "text_bag"),
    ],
)
@pytest.mark.parametrize("offline", [False, True])
def test_a_right_pipeline_has_no_findings(dataset, id, offline):
    """With real rows or made-up ones, what can be trained is not complained of."""
    assert findings(pipeline(model(id)), None if offline else dataset) == []


def test_an_unknown_optimizer_gets_a_suggestion():
    """A near miss of a name is told, at the name's path."""
    found = only(findings(pipeline(training_=training(optimizer=Component(name="Adm", config={})))))
    assert (found.path, found.exit_code) == ("training.optimizer.name", 2)
    assert "did you mean Adam?" in found.sentence


def test_an_unknown_model_gets_a_suggestion():
    """So does a model."""
    found = only(findings(pipeline(model("logistics"))))
    assert found.path == "model.id"
    assert "did you mean logistic?" in found.sentence


def test_each_wrong_argument_is_found():
    """Mistakes in model, optimizer, scheduler and loss do not hide each other."""
    wrong = training(
        optimizer=Component(name="Adam", config={"lrr": 0.1}),
        lr_scheduler=Scheduler(name="StepLR", config={}, every="epoch"),
        loss=Component(name="CrossEntropyLoss", config={"label_smooting": 0.1}),
    )
    found = findings(pipeline(model("mlp", hiden=[8]), wrong), flights())
    assert {finding.path for finding in found} == {
        "model.config.hiden",
        "training.optimizer.config.lrr",
        "training.lr_scheduler.config.step_size",
        "training.loss.config.label_smooting",
    }
    sentences = " ".join(finding.sentence for finding in found)
    assert "did you mean hidden?" in sentences
    assert "did you mean lr?" in sentences
    assert "It accepts: in_features" not in sentences


@pytest.mark.parametrize("lr", [-1, "1e-3"])
def test_a_wrong_value_is_told_at_its_argument(lr):
    """A negative rate, or one that YAML reads as text, names the argument and the value."""
    found = only(findings(pipeline(training_=training(optimizer=Component(name="Adam", config={"lr": lr})))))
    assert found.path == "training.optimizer.config.lr"
    assert repr(lr) in found.sentence


@pytest.mark.parametrize(
    ("id", "config", "path"),
    [
        ("mlp", {"hidden": 8}, "model.config.hidden"),
        ("mlp", {"hidden": [0]}, "model.config.hidden"),
        ("mlp", {"dropout": 1.5}, "model.config.dropout"),
        ("mlp", {"activation": "rely"}, "model.config.activation"),
        ("logistic", {"num_classes": 0}, "model.config.num_classes"),
        ("logistic", {"in_features": 4}, "model.config.in_features"),
    ],
)
def test_values_a_model_cannot_take_are_found(id, config, path):
    """A built-in model says which of its arguments is impossible."""
    assert only(findings(pipeline(model(id, **config)))).path == path


def test_a_scheduler_that_needs_a_function_is_refused():
    """What a file cannot hold is said to be so."""
    schedule = Scheduler(name="LambdaLR", config={"lr_lambda": 1}, every="epoch")
    found = only(findings(pipeline(training_=training(lr_scheduler=schedule))))
    assert "needs a function" in found.sentence


def test_plateau_by_batch_is_refused():
    """ReduceLROnPlateau has no loss to look at between two batches."""
    schedule = Scheduler(name="ReduceLROnPlateau", config={}, every="batch")
    assert only(findings(pipeline(training_=training(lr_scheduler=schedule)))).path == "training.lr_scheduler.every"


@pytest.mark.parametrize("name", ["TripletMarginLoss", "CrossEntropy"])
def test_a_loss_that_cannot_be_used_lists_those_that_can(name):
    """An unknown loss and one for other data are answered with the usable ones."""
    found = only(findings(pipeline(training_=training(loss=Component(name=name, config={}))), flights()))
    assert found.path == "training.loss.name"
    assert "CrossEntropyLoss" in found.sentence


def test_an_argument_of_the_loss_that_is_ours_is_refused():
    """The reduction is always the mean."""
    loss = Component(name="CrossEntropyLoss", config={"reduction": "sum"})
    assert only(findings(pipeline(training_=training(loss=loss)))).path == "training.loss.config.reduction"


def test_class_weights_of_the_wrong_length_fail_the_trial():
    """What only a step can show is shown by a step."""
    loss = Component(name="CrossEntropyLoss", config={"weight": [1.0, 2.0, 3.0]})
    assert "weight" in only(findings(pipeline(training_=training(loss=loss)), flights())).sentence


@pytest.mark.parametrize(("loss", "classes"), [("CrossEntropyLoss", 1), ("MSELoss", 2), ("BCELoss", 3)])
def test_outputs_that_the_loss_cannot_use_are_found(loss, classes):
    """One output for classes, several for a number: the remedy is num_classes."""
    metrics = ("mse",) if loss == "MSELoss" else ("accuracy",)
    made = pipeline(model(num_classes=classes), training(loss=Component(name=loss, config={})), metrics)
    assert only(findings(made)).path == "model.config.num_classes"


def test_metrics_must_measure_what_is_learned():
    """A classification metric under a regression loss names the metrics that fit."""
    made = pipeline(model(num_classes=1), training(loss=Component(name="MSELoss", config={})), ("accuracy", "mse"))
    found = only(findings(made, prices()))
    assert (found.path, found.exit_code) == ("evaluation.metrics", 2)
    assert "mse, mae" in found.sentence


def test_top_k_of_too_many_is_found():
    """The second guess out of two is always right."""
    made = pipeline()
    metric = Metric(name="top_k", label="top_k", options={"k": 3})
    made = with_changes(made, evaluation=with_changes(made.evaluation, metrics=(metric,)))
    assert only(findings(made, flights())).path == "evaluation.metrics"


def test_a_label_outside_the_classes_is_the_datasets_fault():
    """Every label is read: one wrong among 40,000 is found by key, with exit code 3."""
    labels = [0, 1] * 20_000
    labels[39_999] = 2
    dataset = MemoryDataset(pa.table({"wind": [0.0, 1.0] * 20_000, "label": labels}))
    found = only(findings(pipeline(), dataset))
    assert (found.path, found.exit_code) == ("data.dataset", 3)
    assert "key 39999 is 2" in found.sentence


def test_features_that_cannot_be_used_are_the_datasets_fault():
    """Infinity in the first rows is found by column and key, with exit code 3."""
    dataset = MemoryDataset(pa.table({"wind": [0.0, float("inf")], "label": [0, 1]}))
    found = only(findings(pipeline(), dataset))
    assert found.exit_code == 3
    assert "'wind' is inf at key 1" in found.sentence


def test_labels_that_are_dropped_are_no_finding():
    """A null label is a mistake of the dataset, unless such rows are dropped."""
    table = pa.table({"wind": [0.0, 1.0, 2.0], "label": [0, None, 1]})
    assert findings(pipeline(), MemoryDataset(table, labels="drop")) == []
    told = only(findings(pipeline(), MemoryDataset(table))).sentence
    assert "'label (label)' is null at key 1" in told
    assert "`nulls: {labels: drop}`" in told


def test_a_model_for_other_features_is_found():
    """A convolution on a table is refused, and the models that read tables are named."""
    assert "logistic, mlp can" in only(findings(pipeline(model("small_cnn")), flights())).sentence


def test_a_device_that_is_not_there_is_found():
    """With exit code 3: the machine does not fit the file."""
    found = only(findings(pipeline(), device="cuda:99"))
    assert (found.path, found.exit_code) == ("training.device", 3)


def test_a_pretrained_model_must_be_there(tmp_path):
    """A URI that cannot be read is found at its key."""
    found = only(findings(pipeline(model(pretrained_uri=str(tmp_path / "none.safetensors"))), flights()))
    assert found.path == "model.initial.pretrained"


def test_a_pretrained_model_must_fit(tmp_path):
    """Weights of another shape are found, the right ones are not complained of."""
    uri = tmp_path / "model.safetensors"
    uri.write_bytes(run(job(tmp_path)).body)
    assert findings(pipeline(model(pretrained_uri=str(uri))), flights()) == []
    found = only(findings(pipeline(model("mlp", pretrained_uri=str(uri))), flights()))
    assert found.path == "model.initial.pretrained"
    assert "do not fit" in found.sentence


def test_a_class_of_ones_own_is_not_judged_by_made_up_rows():
    """Without a dataset only the names of its arguments are checked."""
    linear = Model(id="torch.nn:Linear", framework="pytorch", config={"out_features": 2}, pretrained_uri=None)
    assert findings(pipeline(linear), trusted=["torch.nn"]) == []
    assert findings(pipeline(linear), prices(), trusted=["torch.nn"])[0].exit_code == 3
    misspelt = with_changes(linear, config={"out_feature": 2})
    assert {finding.path for finding in findings(pipeline(misspelt), trusted=["torch.nn"])} == {
        "model.config.out_feature",
        "model.config.out_features",
    }


def test_an_empty_dataset_is_checked_with_made_up_rows():
    """Nothing to read is no reason to find nothing."""
    empty = MemoryDataset(flights().table.slice(0, 0))
    assert findings(pipeline(), empty) == []
    assert len(findings(pipeline(model("mlp", hiden=[2])), empty)) == 1


def test_a_class_that_does_not_say_its_arguments():
    """Some that are written in C do not; it is a mistake in the file, like any other."""
    found = only(findings(pipeline(model("collections:OrderedDict")), trusted=["collections"]))
    assert (found.path, found.exit_code) == ("model.config", 2)
    assert "collections:OrderedDict does not say which arguments it takes" in found.sentence
    assert found.sentence.endswith("name a function that makes it.")


class WithNotes(nn.Linear):
    """Keeps in its state what is no tensor."""

    def __init__(self, in_features, num_classes):
        super().__init__(in_features, num_classes)

    def get_extra_state(self):
        """A note."""
        return {"notes": "mine"}


class Normed(nn.Sequential):
    """Keeps numbers for each input which are no matrix."""

    def __init__(self, in_features, num_classes):
        super().__init__(nn.BatchNorm1d(in_features), nn.Linear(in_features, num_classes))


class Plain(nn.Sequential):
    """Keeps a matrix alone, which gets its shape from the first rows."""

    def __init__(self, num_classes):
        super().__init__(nn.LazyLinear(num_classes))


@pytest.mark.parametrize(
    ("of", "encoder", "path", "told"),
    [
        (WithNotes, "keep", "model.id", "keeps '_extra_state', a dict, in its state"),
        (Normed, "grow", "training.encoder", r"0.bias is of shape \[5\] now and of shape \[6\] in the model then"),
        (Normed, "keep", None, ""),
        (Plain, "grow", None, ""),
    ],
)
def test_what_ones_own_model_could_not_keep_is_told_before_it_learns(of, encoder, path, told):
    """State that is no tensor, and weights that have no place for categories to come."""
    own = pipeline(model(f"{__name__}:{of.__name__}"), training(encoder=encoder))
    found = findings(own, flights(), trusted=[__name__])
    assert [one.path for one in found] == ([path] if path else [])
    assert all(re.search(told, one.sentence) for one in found)


def test_a_model_that_gets_its_shape_from_rows_is_loaded_as_others(tmp_path):
    """One of torch's lazy layers, which has no shape yet when the weights come."""
    body = run(job(tmp_path, model=model(f"{__name__}:Plain"), trusted_modules=(__name__,))).body
    assert load_model_bytes(body, [__name__]).predict(flights().table).shape == (200, 2)


@pytest.mark.parametrize(
    ("epochs", "options", "told"),
    [
        (1, {}, "no rows out with `epochs: 1`: .*Write `epochs: 3` or more"),
        (2, {}, "Write `epochs: 3` or more"),
        (3, {}, ""),
        (8, {"whole": 1.0}, "Write another left_out or whole"),
        (8, {"left_out": 0.0}, "Write another left_out or whole"),
    ],
)
def test_infobatch_that_could_leave_nothing_out_is_told(epochs, options, told):
    """The first epoch knows no losses, and the last ones learn from all rows."""
    made = pipeline(training_=training(epochs=epochs))
    strategy = TrainingStrategy(name="infobatch", options={"left_out": 0.5, "whole": 0.125} | options)
    found = findings(msgspec.structs.replace(made, strategy=strategy), flights())
    assert [one.path for one in found] == (["strategy"] if told else [])
    assert all(re.search(told, one.sentence) for one in found)


@pytest.mark.parametrize(
    ("loss", "options", "told"), [("MSELoss", True, 1), ("MSELoss", False, 0), ("CrossEntropyLoss", True, 0)]
)
@pytest.mark.parametrize("within", [False, True])
def test_a_coreset_of_each_class_where_there_are_none_is_told(loss, options, told, within):
    """Before a run starts: its first selection, which no model stands behind, would not have met it."""
    craig = {"name": "craig", "options": {"limit": 9, "per_class": options}}
    if within:
        craig = {"name": "pipeline", "options": {"stages": [{"name": "all_data", "options": {}}, craig]}}
    made = msgspec.structs.replace(
        pipeline(model(num_classes=1), training(loss=Component(name=loss, config={}))),
        strategy=TrainingStrategy(**craig),
    )
    found = [one for one in findings(made) if "`per_class` of craig" in one.sentence]
    assert [one.path for one in found] == ["strategy.stages.1" if within else "strategy"] * told


def _stages(*stages):
    return {"name": "pipeline", "options": {"stages": list(stages)}}


BALANCED = {"name": "balanced", "options": {"by": "label"}}
GDUMB = {"name": "gdumb", "options": {"limit": 9}}
MIX = {"name": "replay_mix", "options": {"memory": "herding", "memory_limit": 9}}
ALL_DATA = {"name": "all_data", "options": {}}


@pytest.mark.parametrize(
    ("strategy", "path"),
    [
        (GDUMB, "strategy.name"),
        ({"name": "class_balanced_reservoir", "options": {"limit": 9}}, "strategy.name"),
        ({"name": "herding", "options": {"limit": 9}}, "strategy.name"),
        (BALANCED, "strategy.by"),
        (MIX, "strategy.memory"),
        (ALL_DATA | {"balance": "label"}, "strategy.balance"),
        (_stages(ALL_DATA, BALANCED), "strategy.stages.1.by"),
        ({"name": "schedule", "options": {"phases": [GDUMB, ALL_DATA]}}, "strategy.phases.0.name"),
        ({"name": "balanced", "options": {"by": "trigger"}}, None),
        ({"name": "replay_mix", "options": {"memory": "reservoir", "memory_limit": 9}}, None),
    ],
)
def test_labels_with_fractions_are_no_classes_to_balance(strategy, path):
    """Told at the key that asks for it, whatever strategy it stands in."""
    assert _balance_paths(strategy, prices()) == ([path] if path else [])


@pytest.mark.parametrize("kind", [pa.int64(), pa.float32(), pa.decimal128(9, 2), pa.decimal128(9, 0)])
def test_whole_numbers_can_be_balanced(kind):
    """Ratings under MSELoss; a type that holds fractions promises no whole numbers."""
    table = pa.table({"size": [0.0, 1.0, 2.0], "label": pa.array([1, 5, 3]).cast(pa.float64()).cast(kind)})
    holds_fractions = kind in (pa.float32(), pa.decimal128(9, 2))
    assert _balance_paths(GDUMB, MemoryDataset(table)) == ["strategy.name"] * holds_fractions


def _balance_paths(strategy, dataset):
    made = msgspec.structs.replace(
        pipeline(model("mlp", num_classes=1), training(loss=Component(name="MSELoss", config={})), ("mse",)),
        strategy=TrainingStrategy(**strategy),
    )
    found = findings(made, dataset)
    assert all(one.exit_code == 2 and "goes by classes" in one.sentence for one in found), found
    return [one.path for one in found]
