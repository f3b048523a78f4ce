"""What config.yaml may say: every key with its type, default and meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from shared.config.schema.alerts import Alert
from shared.config.schema.dataset import Datasets
from shared.config.schema.evaluation import Models
from shared.config.schema.metrics import Metrics
from shared.config.schema.notification import Notification

_SCHEMES = ("redis://", "rediss://", "redis+socket://")


class BrokerUrl(f.Text):
    """`embedded`, or the URL of a Redis."""

    kind = "embedded | redis:// | rediss:// | redis+socket://"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if str(value).startswith("sentinel://"):
            raise ValidationError(f"sentinel:// is not available yet; available: {self.kind}.")
        if value != "embedded" and not str(value).startswith(_SCHEMES):
            scheme = str(value).split("://")[0]
            raise ValidationError(f"{f.quoted(scheme)} is no broker; write {self.kind}.")
        return value


class Broker(f.Group):
    """`broker:`."""

    url = BrokerUrl("where the Celery queues live; ${ENV} fills in secrets", load_default="embedded")


class Storage(f.Group):
    """`storage:`."""

    datasets = Datasets("the datasets, by name", required=True)


class Artifacts(f.Group):
    """`artifacts:`."""

    uri = f.Folder("default place of run directories", load_default="runs/")


class Fleet(f.Group):
    """`fleet:`."""

    train = f.Whole("train workers the supervisor starts", least=0, most=1024, load_default=1)
    evaluate = f.Whole("evaluate workers the supervisor starts", least=0, most=1024, load_default=1)
    device = f.Choice(
        "of the train workers, a GPU each; but for cpu, evaluate workers take what there is",
        "auto",
        "cpu",
        "cuda",
        load_default="auto",
    )


class Retention(f.Group):
    """`retention:`."""

    checkpoints = f.Whole("newest checkpoints kept of a training under way", load_default=2)
    models = Models("committed models whose weights are kept, beside those that are still needed", load_default=None)


class SystemSchema(f.Group):
    """All of config.yaml."""

    broker = f.Sub(Broker, "the broker", load_default=lambda: Broker().load({}))
    storage = f.Sub(Storage, "where data is", required=True)
    artifacts = f.Sub(Artifacts, "where results go", load_default=lambda: Artifacts().load({}))
    fleet = f.Sub(
        Fleet,
        "workers the supervisor starts; 0 and 0: use the fleet that is there",
        load_default=lambda: Fleet().load({}),
    )
    notification = f.Sub(Notification, "new data", load_default=lambda: Notification().load({}))
    trusted_modules = f.Sequence(
        f.Text(""), "modules models may be imported from", may_be_empty=True, load_default=list
    )
    lease_s = f.Duration("after which a silent worker is given up", least_s=1, load_default=15.0, data_key="lease")
    retention = f.Sub(Retention, "how much is kept", load_default=lambda: Retention().load({}))
    alerts = f.Sequence(
        f.Sub(Alert, ""),
        "who is told of failed triggers and runs, stalled runs, files that are not read, workers gone or benched",
        may_be_empty=True,
        load_default=list,
    )
    metrics = f.Sub(
        Metrics,
        "what is shown to Prometheus; without this group nothing is",
        load_default=None,
        allow_none=False,
        error_messages={"null": "is empty; write `metrics: {{}}` for its defaults, or remove the key."},
    )
