"""`decide:` which rule says when a value asks for a retraining, as the file writes it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, ClassVar

from marshmallow import ValidationError

from shared.config import fields as f
from shared.config.resolved import as_written
from shared.errors import ConfigurationError
from supervisor.triggers.rules.fitting import REQUIRED, Fitting
from supervisor.triggers.rules.made import plain_rule, released

_FITS: dict[str, dict[str, Any]] = {
    "threshold": {"threshold": REQUIRED, "direction": None},
    "p_value": {"alpha": 0.05},
    "quantile": {"q": 0.05, "window": None, "direction": None},
    "rolling_average": {"deviation": REQUIRED, "window": 10, "relative": False, "direction": None},
}


class Share(f.PositiveNumber):
    """A number between 0 and 1, neither of them."""

    kind = "number > 0 and < 1"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not 0 < value < 1:
            raise ValidationError(f"{f.quoted(value)} is not a number between 0 and 1, such as 0.05.")
        return float(value)


class WarmUpValues(f.Sentence):
    """A number of values, or that and the rule that decides meanwhile; loads as the latter."""

    kind = "whole number | {values: N, decide: {…}}"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            return {"values": f.Whole("", least=0).deserialize(value), "decide": None}
        return _Meanwhile().load(value)

    def written(self, value: Any) -> Any:
        """The shorter one where it says all."""
        if value["decide"] is None:
            return value["values"]
        return {"values": value["values"], "decide": as_written(f.Sub(Decide, ""), value["decide"])}


class Decide(Fitting):
    """`decide:`."""

    word = "policy"
    fitting: ClassVar[Mapping[str, Mapping[str, Any]]] = _FITS

    policy = f.Choice(
        "the rule. threshold: the value reaches a bound; p_value: it is improbable where nothing changed; quantile: "
        "it is among the largest of those before; rolling_average: it is far from their mean",
        *_FITS,
        required=True,
    )
    threshold = f.Number(
        "the bound, in the value's unit; a value that is equal fires (threshold)", load_default=None, tuned=f.Tuned()
    )
    alpha = Share(
        "the largest p-value that fires, and so the share of looks that fire where nothing changed (p_value: 0.05)",
        load_default=None,
        tuned=f.Tuned("odds"),
    )
    q = Share(
        "the share of values that fire where nothing changed (quantile: 0.05)",
        load_default=None,
        tuned=f.Tuned("odds"),
    )
    window = f.Whole(
        "how many values before it a value is compared with; until so many are there none fires (quantile: the fewest "
        "that q allows, 1/q − 1; rolling_average: 10)",
        load_default=None,
    )
    deviation = f.Number("how far from their mean fires (rolling_average)", least=0, load_default=None, tuned=f.Tuned())
    relative = f.Truth(
        "deviation is a share of the mean, not in the value's unit (rolling_average: false)", load_default=None
    )
    direction = f.Choice(
        "whether large or small values fire (not p_value; else that which is worse)",
        "above",
        "below",
        load_default=None,
    )
    release = f.Number(
        "hysteresis: once it fired it does not again before a value that would not at this looser bound; in the place "
        "of threshold, alpha, q or deviation",
        load_default=None,
    )
    cool_down = f.Whole("for how many looks after it fired it does not again", least=0, load_default=0)
    warm_up = WarmUpValues(
        "for how many values at first, and after each reset, it does not fire, or another rule decides",
        load_default=None,
    )

    def check(self, data: dict[str, Any]) -> None:
        """A rule can be made of it."""
        if data["policy"] == "quantile" and data["window"] is None:
            data["window"] = math.ceil(1 / Fraction(repr(data["q"]))) - 1
        try:
            plain_rule(data, 0, "above")
        except ConfigurationError as error:
            raise ValidationError({"window": [f"{error}."]}) from None
        if data["release"] is not None:
            try:
                released(data, data["direction"])
            except ConfigurationError as error:
                raise ValidationError({"release": [f"{error}."]}) from None


class _Meanwhile(f.Group):
    """`warm_up:` as a group."""

    values = f.Whole("", least=0, required=True)
    decide = f.Sub(Decide, "", load_default=None)
