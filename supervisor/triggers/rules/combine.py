"""How several verdicts become one: any, all, the majority, or at least so many of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.errors import ConfigurationError
from supervisor.triggers.rules.rule import Verdict

Combine = str | Mapping[str, int]  # any | all | majority | {at_least: n}


def votes_needed(combine: Combine, voters: int) -> int:
    """How many of so many must fire. Half of them is no majority. Raises ConfigurationError."""
    if isinstance(combine, str):
        ways = {"any": 1, "all": voters, "majority": voters // 2 + 1}
        if combine not in ways:
            raise ConfigurationError(f"combine is {combine!r}; it is any, all, majority, or at_least with a number")
        return ways[combine]
    needed = combine["at_least"]
    if not 1 <= needed <= voters:
        raise ConfigurationError(f"combine asks for at least {needed} of {voters}; set it from 1 to {voters}")
    return needed


def combined(verdicts: Sequence[tuple[str, Verdict]], combine: Combine) -> Verdict:
    """One verdict of several, each with its name: those that fired stand first in its reason."""
    needed, fired = votes_needed(combine, len(verdicts)), [one for one in verdicts if one[1].fires]
    told = [*fired, *(one for one in verdicts if not one[1].fires)]
    reason = "; ".join(f"{name} {verdict.reason}" for name, verdict in told)
    if len(verdicts) > 1:
        reason = f"{len(fired)} of {len(verdicts)} fired, {needed} needed: {reason}"
    defined = any(verdict.defined for _, verdict in verdicts)
    return Verdict(fires=len(fired) >= needed, reason=reason, defined=defined)
