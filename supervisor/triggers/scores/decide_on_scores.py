"""`decide:` of policy performance: rules on the score itself, on how far it is from what was expected of the model, and
on the mistakes that a model as good as expected would not have made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from supervisor.triggers.rules.fitting import REQUIRED
from supervisor.triggers.rules.made import asks_p_value, rule_of
from supervisor.triggers.rules.rule import Rule
from supervisor.triggers.rules.written import Decide

COMPARING = {"drop": "by", "mistakes": "at_least"}  # rules that need the expected score → their bound

_FITS: Mapping[str, Mapping[str, Any]] = {
    "threshold": {"threshold": REQUIRED},
    "drop": {"by": REQUIRED, "relative": False},
    "quantile": {"q": 0.05, "window": None},
    "rolling_average": {"deviation": REQUIRED, "window": 10, "relative": False},
    "mistakes": {"at_least": REQUIRED},
}


class DecideOnScores(Decide):
    """Which scores ask for a retraining. Which side is worse the metric knows; a score has no p-value."""

    class Meta(Decide.Meta):
        """Keys of `Decide` that mean nothing here."""

        exclude = ("alpha", "direction")

    fitting = _FITS

    policy = f.Choice(
        "the rule. threshold: the score is as bad as a bound; drop: it is so much worse than the model's own on the "
        "held-out rows of its training stretch; quantile: it is among the worst of those before; rolling_average: it "
        "is worse than their mean; mistakes: there are so many more of them since the last trigger than expected",
        *_FITS,
        required=True,
    )
    threshold = f.Number(
        "the bound, in the value's unit; a value that is equal fires (threshold)",
        load_default=None,
        tuned=f.Tuned("odds"),
    )
    by = f.PositiveNumber(
        "how much worse than expected fires, in the metric's unit (drop)", load_default=None, tuned=f.Tuned()
    )
    at_least = f.PositiveNumber("how many avoidable mistakes fire (mistakes)", load_default=None, tuned=f.Tuned())
    relative = f.Truth(
        "by is a share of the expected score, deviation one of the mean, not in the metric's unit (drop and "
        "rolling_average: false)",
        load_default=None,
    )

    def check(self, data: dict[str, Any]) -> None:
        """A rule can be made of it."""
        if data["warm_up"] is not None and data["warm_up"]["decide"] is not None:
            if data["policy"] in COMPARING:
                told = f"has a rule, which would be given the score, not what {data['policy']} is about;"
                raise ValidationError({"warm_up": [f"{told} write the number of looks alone."]})
            if asks_p_value(data):
                raise ValidationError({"warm_up": ["decides by p_value, and a score has none; take threshold."]})
        plain = _as_decide(data)
        super().check(plain)
        data["window"] = plain["window"]


def rule_on_scores(decide: Mapping[str, Any], *, greater_is_better: bool) -> Rule:
    """The rule, as it is at first, which is fed scores, or how much worse than expected they are.

    Raises ConfigurationError where `release` is on the wrong side of the bound.
    """
    return rule_of(_as_decide(decide), direction="below" if greater_is_better else "above")


def _as_decide(decide: Mapping[str, Any]) -> dict[str, Any]:
    """The same for `rule_of`: what compares with the expected score is a threshold of how much worse it is."""
    plain = {**decide, "alpha": None, "direction": None}
    if decide["policy"] in COMPARING:
        plain |= {"policy": "threshold", "threshold": decide[COMPARING[decide["policy"]]], "direction": "above"}
    return plain
