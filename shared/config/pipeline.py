"""The values of pipeline.yaml, as the rest of the code reads them. Durations are seconds, defaults are filled in."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from shared.split import SplitName
from shared.timestamps import MICROSECONDS_PER_S


class Values(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group of settings that belong together."""


class Identity(Values, frozen=True, kw_only=True):
    """`pipeline:` who this pipeline is."""

    name: str
    version: int
    description: str


class Component(Values, frozen=True, kw_only=True):
    """A named part and the arguments of its constructor: optimizer, loss."""

    name: str
    config: dict[str, Any]


class Scheduler(Component, frozen=True, kw_only=True):
    """`training.lr_scheduler:` a torch scheduler and when it steps."""

    every: Literal["epoch", "batch"]


class Model(Values, frozen=True, kw_only=True):
    """`model:` what is trained and what it starts from."""

    id: str
    framework: Literal["pytorch"]
    config: dict[str, Any]
    pretrained_uri: str | None  # `initial: {pretrained: URI}`; None for `initial: random`


class Training(Values, frozen=True, kw_only=True):
    """`training:` how one training goes."""

    distribution: Literal["single"]
    workers: int
    gather: Literal["average"]
    device: Literal["auto", "cpu", "cuda"]
    use_previous_model: bool
    encoder: Literal["keep", "grow"] = "keep"  # of a training that goes on from a model
    epochs: int
    batch_size: int
    optimizer: Component
    lr_scheduler: Scheduler | None
    loss: Component
    precision: Literal["fp32", "bf16", "fp16"]
    gradient_clip_norm: float | None
    checkpoint_every_s: float
    seed: int
    threads: int
    attempts: int  # workers that may be lost over one task before it has failed
    stall_after_s: float  # a task that says nothing for so long is ended with its process
    on_failure: Literal["stop", "continue"]
    backlog: Literal["queue", "coalesce"]
    max_in_flight: int  # trainings published and not yet gathered, at most


class Split(Values, frozen=True, kw_only=True):
    """`data.split:` shares of the rows that are never trained on."""

    test: float
    validation: float
    by: str | None  # a column whose equal values stay in one split; None: by key

    @property
    def groups(self) -> tuple[str, ...]:
        """The columns that it needs."""
        return () if self.by is None else (self.by,)


class Data(Values, frozen=True, kw_only=True):
    """`data:` which dataset, and how its rows are shared out."""

    dataset: str
    split: Split
    label_delay_s: float = 0.0  # of event time: how long after its row the label in it is known

    @property
    def label_delay_us(self) -> int:
        """The same in microseconds."""
        return round(self.label_delay_s * MICROSECONDS_PER_S)


class Named(Values, frozen=True, kw_only=True):
    """What is chosen by name, from a table in shared/plugins.py, with its options."""

    name: str
    options: dict[str, Any]  # as its own schema loads them


class TrainingStrategy(Named, frozen=True, kw_only=True):
    """`strategy:` on what to train, and what may be said of it whatever it is."""

    warm_up: int = 0  # first triggers that are trained on all data
    reset_on_trigger: bool = False
    balance: str | None = None  # "label", or no balance


class Metric(Values, frozen=True, kw_only=True):
    """One metric of `evaluation.metrics`; `label` is what evaluations.csv and summary.json call it."""

    name: str
    label: str
    options: dict[str, Any]


class Price(Values, frozen=True, kw_only=True):
    """`trigger.price:` what a training costs and what an error does, in one currency."""

    training: float
    error: float  # of one wrong row, or of one unit of the metric's distance from its best on one row
    metric: Metric  # one of evaluation.metrics


class Trigger(Named, frozen=True, kw_only=True):
    """`trigger:` the policy, and what stands around it whatever it is."""

    guards: dict[str, Any] = {}  # key, in the table of shared/plugins.py → as the guard's own field loads it
    price: Price | None = None


class UntilNextTrigger(Values, tag_field="kind", tag="until_next_trigger", frozen=True, kw_only=True):
    """The rows a model met while it was the newest."""


class Last(Values, tag_field="kind", tag="last", frozen=True, kw_only=True):
    """The stretch of event time that ends at the trigger's watermark."""

    duration_s: float


class Every(Values, tag_field="kind", tag="every", frozen=True, kw_only=True):
    """Slices of event time, all of the same length."""

    duration_s: float


class Window(Values, frozen=True, kw_only=True):
    """One entry of `evaluation.on`."""

    name: str
    extent: UntilNextTrigger | Last | Every
    split: SplitName | None  # None: all rows


class Estimate(Values, frozen=True, kw_only=True):
    """`evaluation.estimate:` what scores are expected to be, told without the labels of the rows that they are of."""

    method: Literal["cbpe", "pape"]
    metrics: tuple[str, ...]  # labels of evaluation.metrics, all of which can be estimated
    calibrate_on: Literal["validation", "test"]  # the split whose rows a model's probabilities are calibrated on
    rows: int  # the newest so many of these, at most


class Evaluation(Values, frozen=True, kw_only=True):
    """`evaluation:` what is measured, where. `on` always holds an `until_next_trigger` window, given or implicit."""

    device: Literal["auto", "cpu", "cuda"]
    metrics: tuple[Metric, ...]
    newest: int | None  # `models: {newest: N}`; None: all
    on: tuple[Window, ...]
    estimate: Estimate | None = None

    @property
    def prequential(self) -> Window:
        """The window that the composite comes from: the first `until_next_trigger`."""
        return next(window for window in self.on if isinstance(window.extent, UntilNextTrigger))


class Gate(Values, frozen=True, kw_only=True):
    """`deployment.gate:` what a model must reach to be deployed."""

    metric: str  # a label of evaluation.metrics
    on: str  # name of a `last` window
    at_least: float | None  # for metrics where less is better: at most
    not_worse_by: float | None


class Target(Values, frozen=True, kw_only=True):
    """One entry of `deployment.targets`."""

    name: str
    kind: str  # in the table of shared/plugins.py
    uri: str  # absolute
    options: dict[str, Any]  # what its kind has beside these


class Deployment(Values, frozen=True, kw_only=True):
    """`deployment:` when and where a model goes out."""

    gate: Gate | None
    targets: tuple[Target, ...]


class Logging(Values, frozen=True, kw_only=True):
    """`logging:` what is written where."""

    level: Literal["debug", "info", "warning", "error"]
    to: tuple[str, ...]  # "terminal" or "file:<name in the run directory>"
    metrics_every_batches: int


class Pipeline(Values, frozen=True, kw_only=True):
    """All of pipeline.yaml."""

    pipeline: Identity
    model: Model
    training: Training
    data: Data
    trigger: Trigger
    strategy: TrainingStrategy
    initial_mode: Literal["ignore", "train_on_everything", "replay"]
    evaluation: Evaluation
    deployment: Deployment | None
    logging: Logging
