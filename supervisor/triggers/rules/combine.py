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
        there = "there is 1; set it to 1" if voters == 1 else f"there are {voters}; set it from 1 to {voters}"
        raise ConfigurationError(f"combine asks for at least {needed}, but {there}")
    return needed


def combined(verdicts: Sequence[tuple[str, Verdict]], combine: Combine, silent: Sequence[str] = ()) -> Verdict:
    """One verdict of several, each with its name: those that fired stand first in its reason.

    `silent`: those that have not voted; of several the reason has only how many.
    """
    voters, fired = len(verdicts) + len(silent), [one for one in verdicts if one[1].fires]
    needed = votes_needed(combine, voters)
    told = [f"{name} {verdict.reason}" for name, verdict in (*fired, *(one for one in verdicts if not one[1].fires))]
    if silent:
        told.append(f"{silent[0]} has not voted" if len(silent) == 1 else f"{len(silent):,} have not voted")
    reason = "; ".join(told)
    if voters > 1:
        reason = f"{len(fired)} of {voters} fired, {needed} needed: {reason}"
    defined = any(verdict.defined for _, verdict in verdicts)
    return Verdict(fires=len(fired) >= needed, reason=reason, defined=defined)
