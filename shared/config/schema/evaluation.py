"""`evaluation:` what is measured, where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from shared.errors import ConfigurationError
from shared.plugins import METRICS, Plugins

LEAST_ROWS = 50  # to calibrate on: on fewer, a score may be off by .05 by chance alone
_MEASURES_NUMBERS = "evaluation.metrics measures numbers: leave `estimate` out."


class MetricField(f.Sentence):
    """A metric's name, or its name and options."""

    def __init__(self, plugins: Plugins[Any], meaning: str, **options: Any) -> None:
        super().__init__(meaning, **options)
        self.plugins = plugins
        self.kind = " | ".join(plugins.own)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        given = dict(value) if isinstance(value, dict) else {"name": value}
        name = given.pop("name", None)
        if not isinstance(name, str) or name not in self.plugins:
            raise ValidationError(f"{f.quoted(name)} is unknown; {f.nearest(str(name), self.plugins)}")
        try:
            kind = self.plugins[name]
        except ConfigurationError as error:
            raise ValidationError(str(error)) from None
        options = kind.Schema().load(given)
        return {"name": name, "label": kind.label(name, options), "options": options}


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


class Window(f.Group):
    """An entry of `evaluation.on`."""

    name = f.Text("the window's name in evaluations.csv", required=True)
    extent = Extent("which rows", required=True, data_key="window")
    split = f.Choice("only rows of this split", "train", "validation", "test", load_default=None)


class Calibrating(f.Group):
    """How scores are estimated."""

    method = f.Choice(
        "cbpe: by the calibrated probabilities of the model; pape: calibrated on rows that are weighted to be like "
        "those of the window, for windows whose features have moved",
        "cbpe",
        "pape",
        load_default="pape",
    )
    calibrate_on = f.Choice(
        "the split whose rows with known labels probabilities are calibrated on; else validation where it has a share, "
        "or test",
        "validation",
        "test",
        load_default=None,
    )
    rows = f.Whole("the newest so many of these, at most", least=LEAST_ROWS, load_default=2000)


class Estimate(Calibrating):
    """`evaluation.estimate`."""

    metrics = f.Sequence(f.Text(""), "which of evaluation.metrics; else all that can be estimated", load_default=None)


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
        MetricField(METRICS, ""),
        "what is measured; f1 is the macro average over classes unless it says `{name: f1, average: micro | weighted}`",
        load_default=lambda: [{"name": "accuracy", "label": "accuracy", "options": {}}],
    )
    newest = Models("which models are scored on `every` windows", load_default=None, data_key="models")
    on = f.Sequence(f.Sub(Window, ""), "named windows", may_be_empty=True, load_default=list)
    estimate = f.Sub(
        Estimate, "have scores estimated as well, without the labels of the rows that they are of", load_default=None
    )

    @f.validates_schema
    def _consistent(self, data: dict[str, Any], **_: Any) -> None:
        for key, of in (("metrics", "label"), ("on", "name")):
            names = [one[of] for one in data[key]]
            for number, name in enumerate(names):
                if name in names[:number]:
                    raise ValidationError({key: {number: [f"{name} stands here twice; keep one."]}})
        if len({METRICS[one["name"]].task for one in data["metrics"]}) > 1:
            raise ValidationError({"metrics": ["mixes metrics of classification and regression; keep one kind."]})
        if data["estimate"] is not None:
            _refuse_what_cannot_be_estimated(data["estimate"]["metrics"], data["metrics"])


def estimable(metrics: Sequence[Mapping[str, Any]]) -> list[str]:
    """The labels of those of evaluation.metrics that can be estimated."""
    return [one["label"] for one in metrics if METRICS[one["name"]].estimable]


def _refuse_what_cannot_be_estimated(asked: Sequence[str] | None, metrics: Sequence[Mapping[str, Any]]) -> None:
    """Raise ValidationError for metrics that are not measured, or that calibrated probabilities do not tell."""
    can = estimable(metrics)
    if METRICS[metrics[0]["name"]].task == "regression":
        raise ValidationError({"estimate": [f"estimates models that tell classes apart; {_MEASURES_NUMBERS}"]})
    if not can:
        told = ", ".join(one["label"] for one in metrics)
        raise ValidationError({"estimate": [f"cannot estimate {told}; add accuracy to evaluation.metrics."]})
    for number, label in enumerate(asked or ()):
        if label not in can:
            measured = label in [one["label"] for one in metrics]
            why = "cannot be estimated" if measured else "is not in evaluation.metrics"
            sentence = f"{label} {why}; name some of {', '.join(can)}."
            raise ValidationError({"estimate": {"metrics": {number: [sentence]}}})
