"""Whether a score asks for a retraining, by one of the rules of policy performance, and a sentence that says why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from supervisor.triggers.rules.rule import Rule, State, Verdict, number
from supervisor.triggers.scores.cusum import Cusum
from supervisor.triggers.scores.decide_on_scores import COUNTING, needs_held_out, rule_on_scores

_DIGITS = 12  # .88 − .83 is a little more than .05 in binary


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """A detector's answer: how good the current model was on rows that came since the newest trigger."""

    metric: str
    greater_is_better: bool
    model: int | None  # the trigger that made it; None: there is none
    score: float | None  # None: undefined, and `error` says why
    n: int  # rows that were scored
    unlabelled: int  # rows of the window whose label is not known yet, or that have none
    known: int  # rows since the newest trigger whose label is known
    error: str | None
    expected: float | None  # its score on the held-out rows of its training stretch, if that was asked for
    expected_n: int


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What was expected of the current model."""

    model: int  # the trigger that made it
    score: float
    n: int  # of so many rows


class ScoreRule:
    """A rule of `decide:`. It has no memory of its own: that is JSON, given to it and taken back each time.

    The memory is of how good the pipeline was, whichever model it had, and is kept when the model changes; a new
    trigger clears the count of avoidable mistakes, or the CUSUM, alone.
    """

    def __init__(self, decide: Mapping[str, Any]) -> None:
        """`decide`: as `DecideOnScores` loads it."""
        self._policy, self._relative, self._decide = decide["policy"], decide["relative"], decide
        self.compares = needs_held_out(decide)  # with what was expected of the model
        self.counts = self._policy in COUNTING  # a row that is judged twice would count twice
        self._cusum = Cusum(decide) if self._policy == "cusum" else None

    def begin(self) -> State:
        """Its memory at first."""
        return {"rule": None, **self._sums()}

    def after_trigger(self, memory: State) -> State:
        """Its memory after a trigger."""
        return {**memory, **self._sums()}

    def _sums(self) -> State:
        return {"mistakes": 0.0} if self._cusum is None else self._cusum.begin()

    def may_count(self, expected: Expected | None) -> bool:
        """Whether there is something to compare rows with; else they are to be counted later."""
        return expected is not None or not self.compares

    def judged(self, told: Score, expected: Expected | None, memory: State) -> tuple[Verdict, State]:
        """What it makes of a score, and its memory then. The reason is a whole sentence."""
        rule, undefined = self._rule(told, memory), self._undefined(told, expected)
        if not undefined and self._cusum is not None and self._cusum.learns(memory):
            assert told.score is not None
            look, memory = self._cusum.learned(told.score, told.n, memory)
            undefined = f"{told.metric} {number(told.score)} on {_rows(told)}: {look}"
        if undefined:
            rule.fires(None)
            reason = undefined
        else:
            memory, value, (before, behind) = self._value(told, expected, memory)
            rule.fires(value)
            reason = f"{before}{rule.last.reason}{behind}"
        return Verdict(fires=rule.last.fires, reason=reason), {**memory, "rule": rule.state}

    def _rule(self, told: Score, memory: State) -> Rule:
        rule = rule_on_scores(self._decide, greater_is_better=told.greater_is_better)
        if memory["rule"] is not None:
            rule.restore(memory["rule"])
        return rule

    def _undefined(self, told: Score, expected: Expected | None) -> str:
        """Why there is nothing to judge; empty if there is."""
        if told.score is None:
            return f"{told.metric} is undefined on {_rows(told)}: {told.error}"
        if self.compares and expected is None:
            said = f"{told.metric} {number(told.score)} on {_rows(told)}"
            return f"{said}, but nothing is expected of model {told.model}: no held-out row of it can be scored"
        return ""

    def _value(self, told: Score, expected: Expected | None, memory: State) -> tuple[State, float, tuple[str, str]]:
        """The memory with this look, what the rule is fed, and the words around those of the rule."""
        assert told.score is not None
        if self._cusum is not None:
            return self._summed(self._cusum, told, expected, memory)
        if expected is None or not self.compares:
            return memory, told.score, (f"{told.metric} ", f", on {_rows(told)}")
        worse = _worse(told, expected.score)
        if not self.counts:
            value = _share(worse, expected.score) if self._relative else worse
            return memory, value, (_compared(told, expected), "")
        avoidable = max(worse, 0.0) * told.n
        total = round(memory["mistakes"] + avoidable, _DIGITS)
        score, hoped = number(told.score, expected.score), number(expected.score, told.score)
        now = f"{told.metric} {score} on {_rows(told)}, {hoped} expected"
        words = "avoidable mistakes since the newest trigger: ", f"; {number(avoidable)} of them now, {now}"
        return {**memory, "mistakes": total}, total, words

    def _summed(
        self, cusum: Cusum, told: Score, expected: Expected | None, memory: State
    ) -> tuple[State, float, tuple[str, str]]:
        """Likewise, of the CUSUM."""
        assert told.score is not None
        usual = cusum.expected(None if expected is None else expected.score, memory)
        total, more, memory = cusum.added(_worse(told, usual), told.n, memory)
        of = f" ({expected.n:,} held-out)" if cusum.compares and expected is not None else ""
        now = f"{told.metric} {number(told.score, usual)} on {_rows(told)}, {number(usual, told.score)} expected{of}"
        return memory, total, ("CUSUM since the newest trigger: ", f"; {more:+.3g} now, {now}")


def _worse(told: Score, expected: float) -> float:
    """How much worse than expected the score is, in the metric's unit."""
    assert told.score is not None
    return round((expected - told.score) * (1 if told.greater_is_better else -1), _DIGITS)


def _share(worse: float, expected: float) -> float:
    """Of the expected score; where that is 0, anything worse is beyond all bounds."""
    if expected == 0:
        return float("inf") if worse > 0 else 0.0
    return round(worse / abs(expected), _DIGITS)


def _compared(told: Score, expected: Expected) -> str:
    assert told.score is not None
    away, side = expected.score - told.score, "below" if told.score < expected.score else "above"
    return (
        f"{told.metric} {number(told.score, expected.score)} is {abs(away):.3g} {side} the expected "
        f"{number(expected.score, told.score)} on {_rows(told)} ({expected.n:,} held-out): "
    )


def _rows(told: Score) -> str:
    """`480 of 500 rows`, or `500 rows` where all labels are known."""
    of = f" of {told.n + told.unlabelled:,}" if told.unlabelled else ""
    return f"{told.n:,}{of} row{'' if told.n + told.unlabelled == 1 else 's'}"
