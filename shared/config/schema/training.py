"""`training:` how one training goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f


class Component(f.Group):
    """A class of torch by name, with its arguments."""

    name = f.Text("the class", required=True)
    config = f.Arguments("its constructor's arguments", load_default=dict)


class Optimizer(Component):
    """`training.optimizer:`."""

    @f.validates_schema
    def _has_a_usable_rate(self, data: dict[str, Any], **_: Any) -> None:
        rate = data["config"].get("lr")
        if isinstance(rate, int | float) and not isinstance(rate, bool) and rate < 0:
            raise ValidationError({"config": {"lr": [f"{rate} is negative; a learning rate is at least 0."]}})


class Scheduler(Component):
    """`training.lr_scheduler:`."""

    every = f.Choice("when it steps", "epoch", "batch", load_default="epoch")


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
    encoder = f.Choice(
        "how features are encoded while training goes on from a model; grow: its new categories become inputs",
        "keep",
        "grow",
        load_default="keep",
    )
    epochs = f.Whole("passes over the training set", load_default=1)
    batch_size = f.Whole("samples in a step", load_default=128)
    dataloader_workers = f.Only("processes that load data", 0)
    optimizer = f.Sub(
        Optimizer, "any torch.optim class", load_default=lambda: {"name": "Adam", "config": {"lr": 0.001}}
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
    backlog = f.Choice(
        "when triggers come faster than trainings; coalesce: in production a trigger that waits goes into the next",
        "queue",
        "coalesce",
        load_default="queue",
    )
    max_in_flight = f.Whole("trainings under way at once, at most", load_default=8)
