"""The best schedules there are: with at most so many trainings, and at each price.

A moment is a row behind which a model of the grid is there, or a policy's trigger; each strategy's newest model may
take over then.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from supervisor.backtest.hindsight.best_schedule import Candidate, Hindsight, Schedule
from supervisor.backtest.judging.course import Course, Switch, is_paid_at_first
from supervisor.backtest.judging.judge import Judge
from supervisor.backtest.judging.needed import PriceOf

_MOST_STEPS = 100_000_000  # of the program, beside what is asked for: a second or two


class Corner(NamedTuple):
    """What can be had with so many trainings."""

    trainings: int
    loss: float


class Best(NamedTuple):
    """Courses that none with as many trainings, or at that price, is better than."""

    at_most: dict[int, Course]  # by how many trainings
    at_price: tuple[Course, ...]
    frontier: tuple[Corner, ...]  # wherever more trainings lose less, up to where none does


def best_schedules(judge: Judge, tested: Sequence[Course], counts: Iterable[int], *, tuned: bool) -> Best:
    """The best with at most so many trainings, of each of `counts`, and at each price of the judge.

    `tested`: what they are compared with. These are schedules, too: where sums of losses and exact scores differ in the
    last digits, none of them is better than what is found. The frontier has each number of trainings up to
    `_Program.bearable`; behind it, all that is known, and the best of any number. Without `tuned` a schedule begins
    with a model that was there at first, and pays for it; with it, with any that was there, and does not.
    """
    program = _Program(judge, tested, tuned=tuned)
    tested = [program.without_waste(one) for one in tested]
    found = program.with_at_most(max(*(counts := sorted(set(counts))), program.bearable))
    wanted = {count: found[max(most for most in found if most <= count)] for count in counts}
    judge.prepare([*tested, *wanted.values()])
    at_most: dict[int, Course] = {}
    before = -1
    for count, course in wanted.items():
        known = [*at_most.values()][-1:] + [course]
        known += [one for one in tested if before < one.trainings <= count]
        at_most[count] = min(known, key=lambda one: judge.place(judge.judge(one).mean))
        before = count
    at_price = [
        min([program.at(price), *at_most.values(), *tested], key=lambda one: judge.cost(one, price))
        for price in judge.prices
    ]
    known = [*found.values(), *tested, *at_price, program.of_any_number()]
    corners = [Corner(one.trainings, judge.loss(one)) for one in known]
    return Best(at_most, tuple(at_price), tuple(_falling(sorted(corners))))


class _Program:
    """The dynamic program, asked in the words of courses."""

    def __init__(self, judge: Judge, tested: Sequence[Course], *, tuned: bool) -> None:
        self._judge, self._tuned = judge, tuned
        grid, stretch = judge.grid, judge.stretch
        keys = {one.key for one in grid.models} | {switch.key for one in tested for switch in one.switches}
        inner = sorted(key for key in keys if stretch.first_key <= key < stretch.last_key)
        self._keys = [stretch.first_key - 1, *inner]
        self._cuts = np.array([*(key + 1 for key in self._keys), stretch.last_key + 1], dtype=np.int64)
        self._candidates = [
            Candidate(moment, 1.0, model) for moment, key in enumerate(self._keys) for model in self._newest(key)
        ]

    @property
    def bearable(self) -> int:
        """Up to how many trainings the best can be told of each number: all of them, but on very many moments.

        Each more takes models · moments to find, and to read as many stretches of moments as there are trainings.
        """
        moments, models = len(self._keys), len(self._judge.grid.models)
        return min(moments, _MOST_STEPS // (models * moments), math.isqrt(2 * _MOST_STEPS // moments))

    def with_at_most(self, most: int) -> dict[int, Course]:
        """How many trainings → the best with at most so many; up to `most`, or to where more bring nothing more."""
        schedules = dict(enumerate(self._hindsight.best_with_at_most(max(most, 1)), start=1))
        if self._tuned:
            schedules[0] = self._hindsight.untrained()
        return {count: self._course(schedules[count]) for count in sorted(schedules)}

    def at(self, price: PriceOf) -> Course:
        """The best at a price."""
        costs = [price.training + price.gpu_second * self._train_s(one) for one in self._candidates]
        return self._course(self._hindsight.costing(costs).best(1.0, price.error))

    def of_any_number(self) -> Course:
        """The best where trainings cost nothing: the fewest that lose least."""
        return self._course(self._hindsight.best(0.0))

    def without_waste(self, course: Course) -> Course:
        """The same, but that nothing is paid for that never serves in the stretch."""
        return self._of(course.start, course.switches)

    @cached_property
    def _hindsight(self) -> Hindsight:
        models = range(len(self._judge.grid.models))
        there = [model for model in models if self._judge.grid.models[model].key < self._judge.stretch.first_key]
        free = there if self._tuned else []
        return Hindsight(self._candidates, len(self._keys), map(self._losses, models), free)

    def _newest(self, key: int) -> list[int]:
        """Of each strategy the newest model that knows no later row."""
        grid = self._judge.grid
        newest = [grid.newest(key, series) for series in range(len(grid.series)) if len(grid.numbers(series))]
        return [model for model in newest if grid.models[model].key <= key]

    def _losses(self, model: int) -> npt.NDArray[np.float64]:
        """Of one model from each moment to the next: 0 before it was there."""
        first = int(np.searchsorted(self._cuts, self._judge.grid.models[model].key, side="right"))
        lost = np.zeros(len(self._keys))
        if first < len(self._keys):
            lost[first:] = self._judge.losses.sums(model, self._cuts[first:])
        return lost

    def _train_s(self, candidate: Candidate) -> float:
        return self._judge.grid.models[candidate.model].train_s

    def _course(self, schedule: Schedule) -> Course:
        trained = [self._candidates[number] for number in schedule.trainings]
        switches = [Switch(self._keys[one.moment], one.model) for one in trained]
        start = switches.pop(0).model if schedule.start is None else schedule.start
        return self._of(start, tuple(switches))

    def _of(self, start: int, switches: tuple[Switch, ...]) -> Course:
        paid_at_first = not self._tuned and is_paid_at_first(start, switches)
        trained = [*([start] if paid_at_first else []), *(one.model for one in switches)]
        gpu_s = math.fsum(self._judge.grid.models[model].train_s for model in trained)
        return Course(start=start, switches=switches, trainings=len(trained), gpu_s=gpu_s)


def _falling(points: Iterable[Corner]) -> Iterator[Corner]:
    """Those that lose less than all before."""
    least = math.inf
    for one in points:
        if one.loss < least:
            least = one.loss
            yield one
