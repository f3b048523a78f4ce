"""What POLICIES.yaml of a back-test may say: the grid of trainings, prices, and the policies that are tried."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from shared.config.schema.price import Amount
from shared.config.schema.strategy import StrategyBlock
from shared.words import counted

_EXAMPLES = "weekly: {policy: time, every: 7d}"
_ROWS = re.compile(r"\s*(\d[\d_,]*)\s*(rows?)?\s*")  # as people may write a number of them


class Clock(f.Sentence):
    """How far apart trainings are; loads as the `trigger:` group that fires so."""

    kind = "duration | whole number"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return {"policy": "data_amount", "every": f.Whole("").deserialize(value)}
        if isinstance(value, str):
            if rows := _ROWS.fullmatch(value):
                number = rows[1].replace(",", "").replace("_", "")
                raise ValidationError(f"{f.quoted(value)} is not a duration; a bare number means rows: write {number}.")
            f.Duration("").deserialize(value)
            return {"policy": "time", "every": value}
        told = f"{f.quoted(value)} is neither a duration of event time, such as 7d, nor a number of rows, such as 5000."
        raise ValidationError(told)


class Grid(f.Group):
    """`grid:`."""

    example = "{every: 7d}"

    every = Clock(
        "how far apart its models are: so much event time, as policy `time` fires, or so many rows", required=True
    )
    strategies = f.Sequence(
        StrategyBlock("a strategy"),
        "strategies of which the grid has models, too, besides the pipeline's own: the best schedule chooses among all",
        may_be_empty=True,
        load_default=list,
    )


class PriceGroup(f.Group):
    """One of `prices`, as a group."""

    training = Amount("what a training costs; or `gpu_second`", load_default=None)
    gpu_second = Amount("what a second of training costs, of all workers together", load_default=None)
    error = Amount(
        "what an error costs in the same currency: one wrong row, or one unit of the metric's distance from its best "
        "on one row",
        required=True,
    )

    @f.validates_schema
    def _one(self, data: dict[str, Any], **_: Any) -> None:
        if (data["training"] is None) == (data["gpu_second"] is None):
            told = "one of training and gpu_second is to be given; write such as {training: 5, error: 0.01}."
            raise ValidationError({"training": [told]})


class PriceField(f.Sentence):
    """A number or a group."""

    kind = "number > 0 | group"
    group = PriceGroup

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if isinstance(value, dict):
            return PriceGroup().load(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            told = f"{f.quoted(value)} is no price; write a number, or such as {{training: 5, error: 0.01}}."
            raise ValidationError(told)
        return {"training": Amount("").deserialize(value), "gpu_second": None, "error": 1.0}


class Prices(f.Sequence):
    """A list of prices; one alone may stand there by itself."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, list):
            return [self.item.deserialize(value)]
        return super()._deserialize(value, attr, data, **kwargs)


class Policies(f.Sentence):
    """`trigger:` groups by name, as they are written: each is checked in its place in pipeline.yaml."""

    kind = "names and groups"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, dict) or not value:
            said = "is a list, and" if isinstance(value, list) and value else f"{f.quoted(value)}"
            raise ValidationError(f"{said} names no policy; write such as `{_EXAMPLES}` below it.")
        errors = {
            name: [f"{f.quoted(one)} is not a group; write such as {{policy: time, every: 7d}}."]
            for name, one in value.items()
            if not isinstance(one, dict)
        }
        errors |= {name: ["is no name; write one."] for name in value if not str(name).strip()}
        if errors:
            raise ValidationError(errors)
        return value


class Ladders(f.Sentence):
    """`{NAME: {key: [values]}}`: what of a policy is fitted, by dotted keys of its group."""

    kind = "names and groups"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise ValidationError(f"{f.quoted(value)} is not a group; write such as {{weekly: {{every: [7d, 14d]}}}}.")
        errors: dict[Any, Any] = {}
        for name, ladder in value.items():
            if not isinstance(ladder, dict) or not ladder:
                errors[name] = [f"{f.quoted(ladder)} names no key; write such as {{every: [7d, 14d]}}."]
                continue
            wrong = {key: _objection(steps) for key, steps in ladder.items()}
            if any(wrong.values()):
                errors[name] = {key: [told] for key, told in wrong.items() if told}
        if errors:
            raise ValidationError(errors)
        return value


def _objection(steps: Any) -> str | None:
    """Why these are no values to choose from."""
    if not isinstance(steps, list) or not steps:
        return f"{f.quoted(steps)} is not a list of values; write such as [7d, 14d, 28d]."
    twice = next((one for number, one in enumerate(steps) if one in steps[:number]), None)
    if twice is not None:
        return f"{f.quoted(twice)} stands there {counted(steps.count(twice), 'time')}; keep one of them."
    return None


class PoliciesSchema(f.Group):
    """All of POLICIES.yaml."""

    grid = f.Sub(
        Grid,
        "which models are trained, once for all policies; may be left out where `--runs` names models that are there",
        load_default=None,
    )
    prices = Prices(
        PriceField(
            "what a training costs where an error costs 1, or both in one currency",
        ),
        "what policies are weighed by; the first one decides which is best. Without it the pipeline's own "
        "`trigger.price`, if it has one",
        may_be_empty=True,
        load_default=list,
    )
    policies = Policies("the policies that are tried: `trigger:` groups by name", required=True)
    tune = Ladders("with `--tune`, which keys of a policy's group are fitted, and the values to try", load_default=dict)

    @f.validates_schema
    def _tunes_what_is_there(self, data: dict[str, Any], **_: Any) -> None:
        strange = [name for name in data["tune"] if name not in data["policies"]]
        if strange:
            errors = {name: [f"is no policy here; {f.nearest(str(name), data['policies'])}"] for name in strange}
            raise ValidationError({"tune": errors})
