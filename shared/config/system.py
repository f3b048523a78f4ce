"""The values of config.yaml, as the rest of the code reads them. Durations are seconds, paths are absolute."""

from __future__ import annotations

from typing import Literal

from shared.config.pipeline import Values

_SOON_S = 5.0


class Broker(Values, frozen=True, kw_only=True):
    """`broker:` where the Celery queues live."""

    url: str  # "embedded", redis://, rediss:// or redis+socket://; secrets filled in: show `masked_url` only
    masked_url: str


class ImageColumn(Values, frozen=True, kw_only=True):
    """`image:` one column of uint8 pixels."""

    column: str
    shape: tuple[int, int, int]  # channels, height, width


NullFeatures = Literal["impute", "refuse"]


class Nulls(Values, frozen=True, kw_only=True):
    """`nulls:` what is done with values that are not there; NaN is such a value too."""

    features: NullFeatures = "impute"
    labels: Literal["refuse", "drop"] = "refuse"
    indicator: bool = False  # a 0/1 feature for each column that had nulls where the encoder was fitted


TimeUnit = Literal["s", "ms", "us", "ns"]


class TimeFormat(Values, frozen=True, kw_only=True, omit_defaults=True):
    """How a column of times is written, where that is not ISO 8601 or a type of time."""

    unit: TimeUnit | None = None  # of numbers
    format: str | None = None  # of texts, as strptime has it
    zone: str | None = None  # of times that name none; None: UTC


class Labels(Values, frozen=True, kw_only=True):
    """`labels:` a table that grows beside a dataset's rows: values of key columns, a label, when it is known."""

    uri: str  # as a dataset's
    key: tuple[str, ...]  # columns of both
    label: str = "label"
    known_at: str = "known_at"
    unit: TimeUnit | None = None  # of moments that are numbers
    format: str | None = None  # of moments that are texts
    zone: str | None = None  # of moments that name none
    patience_s: float | None = None  # a label that is known later after its row's event time counts nowhere
    delimiter: str | None = None
    encoding: str = "utf-8"


TimeFeature = Literal["hour", "weekday", "month"]


class Dataset(Values, frozen=True, kw_only=True):
    """One entry of `storage.datasets`. Exactly one of `image` and `text` may be set; else the features are a table."""

    name: str
    kind: Literal["table"]
    uri: str  # absolute path, glob or fsspec URI of files in the formats of shared/plugins.py
    delimiter: str | None = None  # of CSV; None: as each file's first line shows
    encoding: str = "utf-8"  # of text files
    timestamp: str
    unit: TimeUnit | None  # of timestamps that are numbers
    format: str | None = None  # of timestamps that are texts
    zone: str | None = None  # of timestamps that name none
    time_key: Literal["timestamp", "known_at"] = "timestamp"  # that names their column in config.yaml
    future_skew_s: float = 86_400.0  # a row dated later than this after its file was found does not advance event time
    label: str  # where there are `labels`, a column of these: no file of rows is ever asked for it
    labels: Labels | None = None  # None: each row has its label in it
    classes: tuple[str, ...] | None = None  # what the classes 0, 1, 2… are called; None: as the labels are learned
    features: tuple[str, ...] | None  # None: all other columns
    time_features: tuple[TimeFeature, ...] | None = None  # what of its own timestamp a table model sees of a row
    image: ImageColumn | None
    text: str | None
    nulls: Nulls = Nulls()

    @property
    def time_format(self) -> TimeFormat:
        """How its timestamps are written."""
        return TimeFormat(unit=self.unit, format=self.format, zone=self.zone)

    @property
    def holds_labels(self) -> bool:
        """Whether it is not a dataset of rows but the table of labels of one."""
        return self.time_key == "known_at"

    @property
    def own_columns(self) -> tuple[str, ...]:
        """Columns that rows have beside what a model sees: when they were, and their label or how it is found."""
        return (self.timestamp, *((self.label,) if self.labels is None else self.labels.key))

    @property
    def hidden_columns(self) -> tuple[str, ...]:
        """Columns that are no features where all others are: what is known later stands among them."""
        labels = self.labels
        return (*self.own_columns, *(() if labels is None else (labels.label, labels.known_at)))


class Fleet(Values, frozen=True, kw_only=True):
    """`fleet:` the workers that the supervisor starts itself; 0 and 0: use the fleet that is there."""

    train: int
    evaluate: int
    device: Literal["auto", "cpu", "cuda"]


class Notification(Values, frozen=True, kw_only=True):
    """`notification:` how the supervisor learns of new data."""

    mode: Literal["pull", "push"]
    every_s: float  # between two looks where nothing is announced
    url: str | None = None  # with push: the Redis that has the stream; None: the broker. Show it only through `hide`
    stream: str | None = None  # with push; None: the dataset's own

    @property
    def waits_s(self) -> float:
        """Between two looks for what nobody announces: the first row before a run begins, the end of a last line."""
        return self.every_s if self.mode == "pull" else min(self.every_s, _SOON_S)


class Retention(Values, frozen=True, kw_only=True):
    """`retention:` how much is kept."""

    checkpoints: int  # newest checkpoints kept for each training in progress
    models: int | None  # newest committed models whose weights are kept; None: all


class Alert(Values, frozen=True, kw_only=True):
    """One entry of `alerts:` who is told when something needs a look."""

    kind: Literal["webhook"]
    url: str  # secrets filled in: show it only through `secrets.hide`


class Metrics(Values, frozen=True, kw_only=True):
    """`metrics:` host:port, as `shared.addresses` reads it."""

    listen: str  # the supervisor
    workers: str  # each worker


class System(Values, frozen=True, kw_only=True):
    """All of config.yaml."""

    path: str  # the file itself, absolute
    broker: Broker
    datasets: dict[str, Dataset]
    artifacts_root: str  # absolute local path: default place of run directories, dataset manifests, .broker.json
    fleet: Fleet
    notification: Notification
    trusted_modules: tuple[str, ...]
    lease_s: float
    retention: Retention
    alerts: tuple[Alert, ...]
    metrics: Metrics | None = None
