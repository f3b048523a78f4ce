"""Who is judged, and on what: policies as they were replayed, beside calendars and guesses, and the best schedules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from supervisor.backtest.grid.grid import Grid
from supervisor.backtest.judging.best import Best, best_schedules
from supervisor.backtest.judging.course import Course, Stretch, Switch
from supervisor.backtest.judging.courses import course_of, every, never
from supervisor.backtest.judging.judge import Judge
from supervisor.backtest.judging.label_baselines import Guessed, guessed
from supervisor.backtest.judging.needed import LossesOf, PriceOf, Scores, ScoresOf
from supervisor.core.seen import Fired


class Contender(msgspec.Struct, frozen=True, kw_only=True):
    """A policy, replayed over the whole stream."""

    name: str
    block: dict[str, Any]  # its `trigger:`
    parameters: dict[str, Any]  # that were fitted: dotted key → value
    fired: Sequence[Fired]
    switches: Sequence[Switch]  # of those that got a model
    early: int  # how many of them came before the first model of the grid
    notes: Sequence[str] = ()  # sentences for people, without a full stop


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """On what all of them are judged."""

    grid: Grid
    every: Any  # of the grid, as it is written
    losses: LossesOf
    scores: ScoresOf
    stretch: Stretch
    ends_us: tuple[int, int]  # event time at the first and the last row of the stretch
    prices: Sequence[PriceOf]
    at_most: int  # the best schedules have up to so many trainings
    tuned_until_us: int | None  # None: nothing was tuned
    guesses: Mapping[str, Sequence[Scores]]  # baseline without a model → its windows in the stretch

    @property
    def tuned(self) -> bool:
        """Whether the stretch begins behind rows on which parameters were fitted."""
        return self.tuned_until_us is not None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found; `judge` knows what courses come to."""

    judge: Judge
    courses: Mapping[str, Course]  # of policies
    calendars: Mapping[str, Course]  # never, every
    guesses: Mapping[str, Guessed]  # no_change, majority
    best: Best


def judged(setting: Setting, contenders: Sequence[Contender]) -> Verdict:
    """Judge all of them."""
    judge = Judge(setting.grid, setting.losses, setting.scores, setting.stretch, setting.prices)
    of_all = setting.grid, setting.stretch
    courses = {one.name: course_of(one.switches, *of_all, tuned=setting.tuned) for one in contenders}
    calendars = {one.__name__: one(*of_all, tuned=setting.tuned) for one in (never, every)}
    tested = [*courses.values(), *calendars.values()]
    counts = {*range(1, setting.at_most + 1), *(one.trainings for one in courses.values())}
    return Verdict(
        judge=judge,
        courses=courses,
        calendars=calendars,
        guesses={name: guessed(windows, judge) for name, windows in setting.guesses.items()},
        best=best_schedules(judge, tested, counts, tuned=setting.tuned),
    )
