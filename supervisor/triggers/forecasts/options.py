"""The options of `performance_forecast`."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from supervisor.triggers.looks.span import SpanField
from supervisor.triggers.rules.written import Share


class Learning(f.Group):
    """`learn:`."""

    trainings = f.Whole("of the first so many models", least=2, load_default=3)
    looks = f.Whole("each is kept for so many looks", load_default=4)


class ForecastOptions(f.Group):
    """Beside `policy: performance_forecast`."""

    every = SpanField("rows or event time between two looks", required=True)
    horizon = f.Whole("over how many looks to come costs are forecast", load_default=20, tuned=f.Tuned())
    quantile = Share(
        "which share of what may come the forecast cost is not below", load_default=0.95, tuned=f.Tuned("odds")
    )
    learn = f.Sub(
        Learning,
        "models that are trained whatever they will be like, to learn from",
        load_default=lambda: Learning().load({}),
    )
    space = f.Choice(
        "where the rows of one look are compared with those of the look before: in their features, or in what enters "
        "the last linear layer of the current model",
        "input",
        "embedding",
        load_default="input",
    )
    ignore = f.Sequence(
        f.Text(""), "feature columns that are not compared (space input)", may_be_empty=True, load_default=list
    )

    @f.validates_schema
    def _consistent(self, data: dict[str, Any], **_: Any) -> None:
        if data["ignore"] and data["space"] != "input":
            raise ValidationError(
                {"ignore": ["an embedding has no columns to leave out; write space: input, or none."]}
            )
