"""All of them, by the name that the tables have."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.policies.rivals.cusum import tuned_cusum
from benchmarks.policies.rivals.online import base, learned_policy
from benchmarks.policies.rivals.period import best_period
from benchmarks.policies.rivals.ruling import Rival

PERIOD = "best fixed period"
RIVALS: Mapping[str, Rival] = {
    PERIOD: best_period,
    "CUSUM on the loss": tuned_cusum,
    "retrainopt Base": base,
    "retrainopt Learned": learned_policy,
}
