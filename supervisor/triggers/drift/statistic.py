"""`statistics:` an entry: which statistic of drift, with its options, and which rule says when its value fires."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError

from shared.config import fields as f
from supervisor.triggers.rules.fitting import Fitting
from supervisor.triggers.rules.made import asks_p_value
from supervisor.triggers.rules.written import Decide, Share

P_VALUES = ("mmd", "ks", "cvm", "classifier_two_sample")
STREAMED = ("adwin", "kswin", "page_hinkley")  # their value counts the features in which they found a change

_TESTED = {"features": "bonferroni", "decide": None}
_MEASURED = {"features": "mean", "decide": None}
_FITS: dict[str, dict[str, Any]] = {
    "mmd": {"permutations": 100, "bandwidth": None, "unbiased": True, "decide": None},
    "classifier_two_sample": {"decide": None},
    "ks": _TESTED,
    "cvm": _TESTED,
    "mean_shift": _MEASURED,
    "wasserstein": _MEASURED,
    "energy": _MEASURED,
    "jensen_shannon": _MEASURED,
    "hellinger": _MEASURED,
    "psi": _MEASURED,
    "adwin": {"delta": 0.002, "decide": None},
    "kswin": {"alpha": 0.05, "values": 100, "newest": 30, "decide": None},
    "page_hinkley": {"delta": 0.25, "least": 30, "sum": 25.0, "decide": None},
}


class Statistic(Fitting):
    """An entry of `statistics:`."""

    word = "name"
    example = "{name: mmd}"
    fitting: ClassVar[Mapping[str, Mapping[str, Any]]] = _FITS

    name = f.Choice("the statistic; docs/triggers.md says what each is", *_FITS, required=True)
    permutations = f.Whole("of which its p-value comes; 0: it has none (mmd: 100)", least=0, load_default=None)
    bandwidth = f.PositiveNumber(
        "sigma² of the kernel (mmd: half the median squared distance of rows)", load_default=None
    )
    unbiased = f.Truth("leave out the pairs of a row with itself (mmd: true)", load_default=None)
    features = f.Choice(
        "what becomes of a value for each feature: their mean; the largest; or the largest, with the p-value of all "
        "(ks, cvm: bonferroni; other distances: mean)",
        "mean",
        "max",
        "bonferroni",
        load_default=None,
    )
    decide = f.Sub(
        Decide,
        "when its value fires (with a p-value: {policy: p_value}; adwin, kswin, page_hinkley: {policy: threshold, "
        "threshold: 1})",
        load_default=None,
    )
    delta = f.PositiveNumber(
        "adwin: how improbable a change it finds must be (0.002); page_hinkley: how far a value may be from the mean, "
        "in deviations of the reference (0.25)",
        load_default=None,
    )
    alpha = Share("the largest share of windows that fire where nothing changed (kswin: 0.05)", load_default=None)
    values = f.Whole("it remembers (kswin: 100)", least=2, load_default=None)
    newest = f.Whole("of them, which it compares with the others (kswin: 30)", load_default=None)
    least = f.Whole("values before it may fire (page_hinkley: 30)", load_default=None)
    sum = f.PositiveNumber("of what is beyond delta at which it fires (page_hinkley: 25)", load_default=None)

    def check(self, data: dict[str, Any]) -> None:
        """Rule and statistic go together."""
        if data["name"] == "kswin" and data["newest"] * 2 >= data["values"]:
            raise ValidationError(
                {"newest": [f"is {data['newest']}; write less than half of values, {data['values']}."]}
            )
        if data["name"] in STREAMED and data["decide"] is None:
            data["decide"] = Decide().load({"policy": "threshold", "threshold": 1})
        if data["features"] == "bonferroni" and data["name"] not in P_VALUES:
            raise ValidationError(
                {"features": [f"bonferroni is of p-values, and {data['name']} has none; write mean."]}
            )
        lacks = _lacks_p_value(data)
        if data["decide"] is None and lacks:
            raise ValidationError({"decide": [f"is missing; {lacks}, so {_REMEDY}."]})
        if data["decide"] is None:
            data["decide"] = Decide().load({"policy": "p_value"})
        if lacks and asks_p_value(data["decide"]):
            raise ValidationError({"decide": [f"the p_value rule needs a p-value, and {lacks}; {_REMEDY}."]})


def options_of(statistic: Mapping[str, Any]) -> dict[str, Any]:
    """What the detector must know of it."""
    return {key: value for key, value in statistic.items() if key != "decide" and value is not None}


_REMEDY = "decide by threshold, quantile or rolling_average"


def _lacks_p_value(data: Mapping[str, Any]) -> str:
    """Why a statistic has none; empty: it has."""
    name, features = data["name"], data["features"]
    if name not in P_VALUES:
        return f"{name} has no p-value"
    if features in ("mean", "max"):
        return f"the {features} of features has none, only bonferroni"
    return "mmd has none without permutations" if data["permutations"] == 0 else ""
