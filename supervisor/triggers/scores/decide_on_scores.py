"""`decide:` of policy performance: rules on the score itself, on how far it is from what was expected of the model, and
on sums of that: the mistakes that a model as good as expected would not have made, and a CUSUM.
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
from supervisor.triggers.scores.cusum import HELD_OUT, ExpectedField

COMPARING = {"drop": "by", "mistakes": "at_least", "cusum": "threshold"}  # with an expected score → their bound
COUNTING = ("mistakes", "cusum")  # of these rules, those that add up: a row that is judged twice would count twice

_FITS: Mapping[str, Mapping[str, Any]] = {
    "threshold": {"threshold": REQUIRED},
    "drop": {"by": REQUIRED, "relative": False},
    "quantile": {"q": 0.05, "window": None},
    "rolling_average": {"deviation": REQUIRED, "window": 10, "relative": False},
    "mistakes": {"at_least": REQUIRED},
    "cusum": {"threshold": REQUIRED, "slack": 0.0, "expected": HELD_OUT},
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
        "is worse than their mean; mistakes: there are so many more of them since the last trigger than expected; "
        "cusum: so much worse than expected were the rows since the last trigger together, better ones taken off",
        *_FITS,
        required=True,
    )
    by = f.PositiveNumber(
        "how much worse than expected fires, in the metric's unit (drop)", load_default=None, tuned=f.Tuned()
    )
    at_least = f.PositiveNumber("how many avoidable mistakes fire (mistakes)", load_default=None, tuned=f.Tuned())
    threshold = f.Number(
        "the bound: a score (threshold), or the metric's unit times rows (cusum); what is equal fires",
        load_default=None,
        tuned=f.Tuned("odds"),
    )
    slack = f.Number(
        "how much worse than expected a row may be without adding anything (cusum: 0)",
        least=0,
        load_default=None,
        tuned=f.Tuned(),
    )
    expected = ExpectedField(
        "the score that is expected: the model's own on held-out rows of its training stretch (held_out), a number, or "
        "the mean over so many looks after each trigger (cusum: held_out)",
        load_default=None,
    )
    relative = f.Truth(
        "by is a share of the expected score, deviation one of the mean, not in the metric's unit (drop and "
        "rolling_average: false)",
        load_default=None,
    )

    def check(self, data: dict[str, Any]) -> None:
        """A rule can be made of it."""
        if data["policy"] == "cusum" and data["threshold"] <= 0:
            raise ValidationError({"threshold": [f"{data['threshold']:g} is no sum that fires; write a number > 0."]})
        if data["warm_up"] is not None and data["warm_up"]["decide"] is not None:
            if data["policy"] in COMPARING:
                told = f"has a rule, which would be given the score, not what {data['policy']} is about;"
                raise ValidationError({"warm_up": [f"{told} write the number of looks alone."]})
            if asks_p_value(data):
                raise ValidationError({"warm_up": ["decides by p_value, and a score has none; take threshold."]})
        plain = _as_decide(data)
        super().check(plain)
        data["window"] = plain["window"]


def needs_held_out(decide: Mapping[str, Any]) -> bool:
    """Whether it compares with what the model scored on held-out rows of its training stretch."""
    return decide["policy"] in COMPARING and decide.get("expected") in (None, HELD_OUT)


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
