"""The course of a policy by its triggers, and those of the two calendars that need no policy."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum

from supervisor.backtest.grid.grid import Grid
from supervisor.backtest.judging.course import Course, Stretch, Switch, is_paid_at_first


def course_of(switches: Sequence[Switch], grid: Grid, stretch: Stretch, *, tuned: bool) -> Course:
    """What serves in the stretch; `switches`: of all triggers that got a model, by key, from the start of the stream.

    Whoever has not fired yet is served by the first model of the grid, and pays for it, once. With `tuned`, what came
    before the stretch is not paid for.
    """
    fired = [one for one in switches if one.key <= stretch.last_key]
    before = [one for one in fired if one.key < stretch.first_key]
    within = fired[len(before) :]
    paid = [grid.models[one.model].train_s for one in (within if tuned else fired)]
    if not tuned and is_paid_at_first(0, fired):
        paid.append(grid.models[0].train_s)
    start = before[-1].model if before else 0
    return Course(start=start, switches=tuple(within), trainings=len(paid), gpu_s=fsum(paid))


def never(grid: Grid, stretch: Stretch, *, tuned: bool) -> Course:
    """The first model of the grid, kept."""
    return course_of((), grid, stretch, tuned=tuned)


def every(grid: Grid, stretch: Stretch, *, tuned: bool) -> Course:
    """Each model of the pipeline's own strategy, as soon as it is there."""
    switches = [Switch(grid.models[number].key, number) for number in grid.numbers(0)]
    return course_of(switches, grid, stretch, tuned=tuned)
