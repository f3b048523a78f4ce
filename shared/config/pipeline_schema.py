"""What pipeline.yaml may say: every key with its type, default and meaning (docs/configuration.md is made of this)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, missing

from shared.config import fields as f
from shared.metrics import METRICS

BUILT_IN_MODELS = ("logistic", "mlp", "small_cnn", "resnet18", "resnet50", "text_bag")
_LATER_MODELS = ("timm:", "torchvision:", "transformers:")
_IMPORTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_DEFAULT_OPTIONS: dict[str, dict[str, Any]] = {"f1": {"average": "macro"}, "top_k": {"k": 5}}
_LATER_TRIGGERS = ("data_drift", "performance", "cost", "schedule", "ensemble")
_LATER_STRATEGIES = ("freshness", "reservoir", "gdumb", "coreset", "class_balanced", "uniform", "rho_loss")


class ModelId(f.Text):
    """A built-in model, or a class to import."""

    kind = " | ".join(BUILT_IN_MODELS) + ' | "package.module:Class"'

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if value in BUILT_IN_MODELS:
            return value
        if isinstance(value, str) and value.startswith(_LATER_MODELS):
            raise ValidationError(f"{value} is not available yet; available: {self.kind}.")
        if isinstance(value, str) and _IMPORTED.fullmatch(value):
            return value
        raise ValidationError(f"{f.quoted(value)} is unknown; {f.nearest(str(value), BUILT_IN_MODELS)}")


class Initial(f.Sentence):
    """`random` or `{pretrained: URI}`."""

    kind = "random | {pretrained: URI}"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if value == "random":
            return None
        if isinstance(value, dict) and list(value) == ["pretrained"] and isinstance(value["pretrained"], str):
            return value["pretrained"]
        raise ValidationError(f"{f.quoted(value)} is neither random nor {{pretrained: URI}}.")


class MetricField(f.Sentence):
    """A metric's name, or its name and options."""

    kind = " | ".join(METRICS)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        given = dict(value) if isinstance(value, dict) else {"name": value}
        name = given.pop("name", None)
        if not isinstance(name, str) or name not in METRICS:
            raise ValidationError(f"{f.quoted(name)} is unknown; {f.nearest(str(name), METRICS)}")
        options = METRICS[name].options
        for key, chosen in given.items():
            allowed = options.get(key)
            if allowed is None:
                raise ValidationError(f"{name} has no option {key}; it has: {', '.join(options) or 'none'}.")
            if isinstance(allowed, tuple) and chosen not in allowed:
                raise ValidationError(f"{key}: {f.quoted(chosen)} is unknown; known: {', '.join(map(str, allowed))}.")
            if allowed is int:
                try:
                    f.Whole("").deserialize(chosen)
                except ValidationError as error:
                    raise ValidationError(f"{key}: {error.messages[0]}") from None
        full: dict[str, Any] = {**_DEFAULT_OPTIONS.get(str(name), {}), **given}
        label = {
            "top_k": f"top_{full.get('k')}",
            "f1": "f1" if full.get("average") == "macro" else f"f1_{full.get('average')}",
        }
        return {"name": name, "label": label.get(name, name), "options": full}


class Extent(f.Sentence):
    """`until_next_trigger`, `{last: duration}` or `{every: duration}`."""

    kind = "until_next_trigger | {last: duration} | {every: duration}"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if value == "until_next_trigger":
            return {"kind": value}
        if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in ("last", "every"):
            kind, duration = next(iter(value.items()))
            return {"kind": kind, "duration_s": f.Duration("").deserialize(duration)}
        raise ValidationError(f"{f.quoted(value)} is not a window; write {self.kind}.")


class Models(f.Sentence):
    """`all` or `{newest: N}`."""

    kind = "all | {newest: N}"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if value == "all":
            return None
        if isinstance(value, dict) and list(value) == ["newest"]:
            return f.Whole("").deserialize(value["newest"])
        raise ValidationError(f"{f.quoted(value)} is neither all nor {{newest: N}}.")


class Trigger(f.Sentence):
    """`{policy: …}` with the options of that policy."""

    kind = "group"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise ValidationError(f"{f.quoted(value)} is not a group; write {{policy: data_amount, every: 5000}}.")
        policy = _chosen(value, "policy", f.Choice("", *TRIGGERS, later=_LATER_TRIGGERS, required=True))
        return TRIGGERS[policy]().load(value)


class Strategy(f.Sentence):
    """`{name: …, config: …}`."""

    kind = "group"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise ValidationError(f"{f.quoted(value)} is not a group; write {{name: new_data}}.")
        name = _chosen(value, "name", f.Choice("", *STRATEGIES, later=_LATER_STRATEGIES, required=True))
        beside = {key: one for key, one in value.items() if key not in ("name", "config")}
        config: dict[str, Any] = f.Arguments("").deserialize(value.get("config", {})) or {}
        both = sorted(set(beside) & set(config))
        if both:
            raise ValidationError({both[0]: ["stands both beside name and in config; keep one."]})
        given = {**beside, **config}
        errors: dict[Any, Any] = {}
        for option in ("limit", "warm_up", "reset_on_trigger"):
            if given.pop(option, None) is not None:
                errors[option] = ["is not available yet; available: tail (with new_data)."]
        try:
            options = STRATEGIES[name]().load(given)
        except ValidationError as error:
            errors |= error.messages if isinstance(error.messages, dict) else {}
        if errors:
            raise ValidationError(errors)
        return {"name": name, **options}


def _chosen(group: dict[str, Any], key: str, choice: f.Choice) -> str:
    """The word that decides which other keys a group has; a mistake is told at this key."""
    try:
        return str(choice.deserialize(group.get(key, missing)))
    except ValidationError as error:
        raise ValidationError({key: error.messages}) from None


class DataAmount(f.Group):
    """`policy: data_amount`."""

    policy = f.Choice("every so many rows", "data_amount", required=True)
    every = f.Whole("rows between two triggers", required=True)


class Time(f.Group):
    """`policy: time`."""

    policy = f.Choice("every so much event time", "time", required=True)
    every_s = f.Duration("event time between two triggers", required=True, data_key="every")
    anchor_us = f.Moment("where periods start; else the first followed row", load_default=None, data_key="anchor")


class NewData(f.Group):
    """`name: new_data`."""

    tail = f.Whole("previous triggers whose rows are selected again", least=0, load_default=0)


class AllData(f.Group):
    """`name: all_data`."""


TRIGGERS: dict[str, type[f.Group]] = {"data_amount": DataAmount, "time": Time}
STRATEGIES: dict[str, type[f.Group]] = {"new_data": NewData, "all_data": AllData}


class Identity(f.Group):
    """`pipeline:`."""

    name = f.Name("the pipeline's name; run directories are called after it", required=True)
    version = f.Whole("your own count of its versions", least=0, load_default=1)
    description = f.Text("what it is for", may_be_empty=True, load_default="")


class Component(f.Group):
    """An optimizer or a loss."""

    name = f.Text("the class", required=True)
    config = f.Arguments("its constructor's arguments", load_default=dict)


class Scheduler(Component):
    """`training.lr_scheduler:`."""

    every = f.Choice("when it steps", "epoch", "batch", load_default="epoch")


class Model(f.Group):
    """`model:`."""

    id = ModelId("which model", required=True)
    framework = f.Choice("what it is built with", "pytorch", later=("tensorflow",), load_default="pytorch")
    config = f.Arguments("its constructor's arguments", load_default=dict)
    pretrained_uri = Initial("what the first training starts from", load_default=None, data_key="initial")


class OneWorker(f.Whole):
    """A number of workers, which can only be one so far."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        workers = super()._deserialize(value, attr, data, **kwargs)
        if workers > 1:
            raise ValidationError(f"{workers} is not available yet; available: 1.")
        return workers


class Training(f.Group):
    """`training:`."""

    distribution = f.Choice(
        "how one training is spread",
        "single",
        later=("all_reduce", "parameter_server", "independent"),
        load_default="single",
    )
    workers = OneWorker("train workers taking part; only 1 so far", load_default=1)
    gather = f.Choice("how members become one model", "average", later=("best", "ensemble"), load_default="average")
    device = f.Choice("where to train", "auto", "cpu", "cuda", load_default="auto")
    use_previous_model = f.Truth("start from the newest committed model", load_default=True)
    epochs = f.Whole("passes over the training set", load_default=1)
    batch_size = f.Whole("samples in a step", load_default=128)
    dataloader_workers = f.Only("processes that load data", 0)
    optimizer = f.Sub(
        Component, "any torch.optim class", load_default=lambda: {"name": "Adam", "config": {"lr": 0.001}}
    )
    lr_scheduler = f.Sub(Scheduler, "any torch.optim.lr_scheduler class", load_default=None)
    loss = f.Sub(Component, "any torch.nn loss", load_default=lambda: {"name": "CrossEntropyLoss", "config": {}})
    augmentation = f.Only("changes to training samples", [])
    precision = f.Choice(
        "of the arithmetic: weights stay fp32; fp16 scales gradients", "fp32", "bf16", "fp16", load_default="fp32"
    )
    gradient_clip_norm = f.PositiveNumber("largest norm of the gradient", load_default=None)
    checkpoint_every_s = f.PositiveNumber("seconds between two checkpoints", load_default=30.0)
    seed = f.Whole("of everything random", least=0, load_default=0)
    threads = f.Whole("CPU threads of a training", most=1024, load_default=1)
    attempts = f.Whole("workers that may be lost over one task before it has failed", load_default=5)
    stall_after_s = f.Duration(
        "without progress, after which a task's process is ended", least_s=1, load_default=600.0, data_key="stall_after"
    )
    on_failure = f.Choice("after a failed trigger", "stop", "continue", load_default="stop")
    backlog = f.Choice("when triggers come faster than trainings", "queue", "coalesce", load_default="queue")
    max_in_flight = f.Whole("trainings under way at once, at most", load_default=8)


class Split(f.Group):
    """`data.split:`."""

    test = f.Number("share of rows kept for tests", least=0, below=1, load_default=0.0)
    validation = f.Number("share of rows kept for validation", least=0, below=1, load_default=0.0)
    by = f.Text("column whose equal values stay together", load_default=None)

    @f.validates_schema
    def _leaves_some(self, data: dict[str, Any], **_: Any) -> None:
        if data["test"] + data["validation"] >= 1:
            raise ValidationError({"test": ["test and validation together leave nothing to train on."]})


class Data(f.Group):
    """`data:`."""

    dataset = f.Text("one of config.yaml's storage.datasets", required=True)
    split = f.Sub(
        Split, "shares of rows never trained on", load_default=lambda: {"test": 0.0, "validation": 0.0, "by": None}
    )
    label_delay = f.Only("event time until a label is usable", "0s")


class Window(f.Group):
    """An entry of `evaluation.on`."""

    name = f.Text("the window's name in evaluations.csv", required=True)
    extent = Extent("which rows", required=True, data_key="window")
    split = f.Choice("only rows of this split", "train", "validation", "test", load_default=None)


class Evaluation(f.Group):
    """`evaluation:`."""

    device = f.Choice(
        "where scores are computed; auto: on a GPU where the pipeline trains on one and an evaluate worker has one",
        "auto",
        "cpu",
        "cuda",
        load_default="auto",
    )
    metrics = f.Sequence(
        MetricField(""),
        "what is measured",
        load_default=lambda: [{"name": "accuracy", "label": "accuracy", "options": {}}],
    )
    newest = Models("which models are scored on `every` windows", load_default=None, data_key="models")
    on = f.Sequence(f.Sub(Window, ""), "named windows", may_be_empty=True, load_default=list)

    @f.validates_schema
    def _consistent(self, data: dict[str, Any], **_: Any) -> None:
        for key, of in (("metrics", "label"), ("on", "name")):
            names = [one[of] for one in data[key]]
            for number, name in enumerate(names):
                if name in names[:number]:
                    raise ValidationError({key: {number: [f"{name} stands here twice; keep one."]}})
        if len({METRICS[one["name"]].task for one in data["metrics"]}) > 1:
            raise ValidationError({"metrics": ["mixes metrics of classification and regression; keep one kind."]})


class Gate(f.Group):
    """`deployment.gate:`."""

    metric = f.Text("one of evaluation.metrics", required=True)
    on = f.Text("a `last` window of evaluation.on", required=True)
    at_least = f.Number("what the metric must reach (at most, where less is better)", load_default=None)
    not_worse_by = f.Number("how much worse than the deployed model it may be", least=0, load_default=None)

    @f.validates_schema
    def _asks_something(self, data: dict[str, Any], **_: Any) -> None:
        if data["at_least"] is None and data["not_worse_by"] is None:
            raise ValidationError({"metric": ["the gate asks nothing; add at_least or not_worse_by."]})


class Target(f.Group):
    """An entry of `deployment.targets`."""

    name = f.Name("what it is called; else the last part of its uri", load_default=None)
    kind = f.Choice("what kind of place", "directory", later=("http", "s3", "registry"), required=True)
    uri = f.Text("where; relative to pipeline.yaml", required=True)


class Deployment(f.Group):
    """`deployment:`."""

    gate = f.Sub(Gate, "what a model must reach; else each one is deployed", load_default=None)
    targets = f.Sequence(f.Sub(Target, ""), "where it goes", required=True)

    @f.validates_schema
    def _distinct(self, data: dict[str, Any], **_: Any) -> None:
        names = [name_of_target(one) for one in data["targets"]]
        for number, name in enumerate(names):
            sentence = f"{name} is the name of two targets; give one of them another with `name:`."
            if name in ("", ".", ".."):
                sentence = f"{data['targets'][number]['uri']} ends in nothing that could be a name; write `name:`."
            if name in ("", ".", "..", *names[:number]):
                raise ValidationError({"targets": {number: {"name": [sentence]}}})


def name_of_target(target: Mapping[str, Any]) -> str:
    """What a target is called: as the file says, else the last part of its uri."""
    return str(target["name"] or target["uri"].rstrip("/").rsplit("/", 1)[-1])


class LogTarget(f.Text):
    """`terminal`, or `file:` and a name that no other file of the run directory has."""

    kind = "terminal | file:NAME.log"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if value == "file:workers.log":
            raise ValidationError("workers.log is what the workers say; choose another name.")
        if value != "terminal" and not re.fullmatch(r"file:[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}\.log", str(value)):
            raise ValidationError(
                f"{f.quoted(value)} is neither terminal nor file:NAME.log (a name in the run directory)."
            )
        return value


class Logging(f.Group):
    """`logging:`."""

    level = f.Choice("what is worth a line", "debug", "info", "warning", "error", load_default="info")
    to = f.Sequence(LogTarget(""), "where lines go", load_default=lambda: ["terminal", "file:run.log"])
    tensorboard = f.Only("TensorBoard files", False)
    metrics_every_batches = f.Whole(
        "batches between two looks at the loss; progress is reported once a second at most", load_default=50
    )


class PipelineSchema(f.Group):
    """All of pipeline.yaml."""

    pipeline = f.Sub(Identity, "who this pipeline is", required=True)
    model = f.Sub(Model, "what is trained", required=True)
    training = f.Sub(Training, "how one training goes", load_default=lambda: Training().load({}))
    data = f.Sub(Data, "which dataset", required=True)
    trigger = Trigger("when to retrain", required=True)
    strategy = Strategy("on what to train", load_default=lambda: {"name": "new_data", "tail": 0})
    initial_mode = f.Choice(
        "what is done with rows that exist already", "ignore", "train_on_everything", "replay", load_default="ignore"
    )
    evaluation = f.Sub(Evaluation, "what is measured, where", load_default=lambda: Evaluation().load({}))
    deployment = f.Sub(Deployment, "when and where a model goes out", load_default=None)
    logging = f.Sub(Logging, "what is written where", load_default=lambda: Logging().load({}))
