"""Rules around a rule, which keep it from firing: while it warms up, cools down, or was not released yet.

The rule within is fed each value all the same, so that it goes on learning. Its reason is told, and why it was kept.
"""

from __future__ import annotations

from typing import ClassVar

from shared.errors import ConfigurationError
from supervisor.triggers.rules.rule import Rule, State, Verdict


class _Around(Rule):
    """The base: rules within, by the names that their states have."""

    def __init__(self, **within: Rule | None) -> None:
        super().__init__()
        self._within = {name: rule for name, rule in within.items() if rule is not None}

    def fires(self, value: float | None, p_value: float | None = None) -> bool:
        """Feeds all rules within, also with no value: decisions are counted."""
        for rule in self._within.values():
            rule.fires(value, p_value)
        self.last = self._kept(self._within["rule"].last)
        return self.last.fires

    def _kept(self, verdict: Verdict) -> Verdict:
        """What becomes of the verdict of the rule that is kept."""
        raise NotImplementedError

    @property
    def state(self) -> State:
        """Its own memory, and the states of the rules within."""
        return {**self._memory, "within": {name: rule.state for name, rule in self._within.items()}}

    def restore(self, state: State) -> None:
        """Go on from what `state` was."""
        within = state["within"]
        super().restore({name: value for name, value in state.items() if value is not within})
        for name, rule in self._within.items():
            rule.restore(within[name])

    def reset(self) -> None:
        """Has the rules within forget, too."""
        super().reset()
        for rule in self._within.values():
            rule.reset()


class WarmUp(_Around):
    """For the first `values` values another rule decides, or none; again so after a reset."""

    forgotten: ClassVar[State] = {"seen": 0}

    def __init__(self, rule: Rule, values: int, *, meanwhile: Rule | None = None) -> None:
        super().__init__(rule=rule, meanwhile=meanwhile)
        self._values = _whole("warm_up", values)

    def _kept(self, verdict: Verdict) -> Verdict:
        if self._memory["seen"] >= self._values:
            return verdict
        self._memory["seen"] += verdict.defined
        instead = self._within["meanwhile"].last if "meanwhile" in self._within else None
        said, fires = (instead.reason, instead.fires) if instead else (verdict.reason, False)
        reason = f"{said} (warm-up: {self._memory['seen']} of {self._values} values)"
        return Verdict(fires=fires, reason=reason, defined=verdict.defined)


class CoolDown(_Around):
    """After it fired it does not for so many `decisions`, whether they have a value or not; also across a reset."""

    lasting: ClassVar[State] = {"left": 0}

    def __init__(self, rule: Rule, decisions: int) -> None:
        super().__init__(rule=rule)
        self._decisions = _whole("cool_down", decisions)

    def _kept(self, verdict: Verdict) -> Verdict:
        if self._memory["left"] == 0:
            self._memory["left"] = self._decisions if verdict.fires else 0
            return verdict
        self._memory["left"] -= 1
        reason = (
            f"{verdict.reason} (cool-down: {self._decisions - self._memory['left']} of {self._decisions} decisions)"
        )
        return Verdict(fires=False, reason=reason, defined=verdict.defined)


class Hysteresis(_Around):
    """After it fired it does not again before a looser rule, `release`, was given a value at which that does not fire.

    So a value that wavers around a threshold of .05 fires once, if it is released by one of .03.
    """

    forgotten: ClassVar[State] = {"caught": False}

    def __init__(self, rule: Rule, release: Rule) -> None:
        super().__init__(rule=rule, release=release)

    def _kept(self, verdict: Verdict) -> Verdict:
        release = self._within["release"].last
        if self._memory["caught"] and (release.fires or not release.defined):
            reason = f"{verdict.reason} (hysteresis: not released, {release.reason})"
            return Verdict(fires=False, reason=reason, defined=verdict.defined)
        self._memory["caught"] = verdict.fires
        return verdict


def _whole(name: str, count: int) -> int:
    if count < 0:
        raise ConfigurationError(f"{name} is {count}; it must be 0 or more")
    return count
