"""What a back-test comes to, as plain values: `--json` prints it, and table and picture are made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.plugins import METRICS
from shared.timestamps import format_timestamp
from shared.words import counted
from supervisor.backtest.grid.grid import Grid
from supervisor.backtest.judging.contenders import Contender, Setting, Verdict
from supervisor.backtest.judging.course import Course, is_paid_at_first
from supervisor.backtest.judging.judge import Judge, JudgedWindow
from supervisor.backtest.judging.label_baselines import Guessed
from supervisor.backtest.judging.needed import PriceOf

_DIGITS = 12  # in which what comes to the same is equal


def content_of(setting: Setting, contenders: Sequence[Contender], verdict: Verdict) -> dict[str, Any]:
    """The content; policies by cost at the first price, else by mean, the best first.

    Of two that come to the same, the one with fewer trainings; then the one that the file names first.
    """
    grid, judge, metric = setting.grid, verdict.judge, setting.losses.metric.label
    told = _Told(setting, verdict)
    policies = [told.policy(one) for one in contenders]
    first, last = map(format_timestamp, setting.ends_us)
    return {
        "grid": {
            "every": setting.every,
            "strategies": list(grid.series),
            "models": len(grid.models),
            "train_s": sum(one.train_s for one in grid.models),
            "first_timestamp": first,
            "last_timestamp": last,
            "rows": judge.rows,
        },
        "metric": metric,
        "task": METRICS[setting.losses.metric.name].task,
        "greater_is_better": judge.greater_is_better,
        "prices": [_price(one) for one in judge.prices],
        "tuned_until": None if setting.tuned_until_us is None else format_timestamp(setting.tuned_until_us),
        "at_most": setting.at_most,
        "baselines": told.baselines(),
        "policies": sorted(policies, key=lambda one: (_without_rounding(_goes_by(one, judge)), one["trainings"])),
        "best": list(told.best(_moments(grid, contenders))),
        "frontier": [
            {"trainings": trainings, "mean": judge.value(loss, judge.rows)} for trainings, loss in verdict.best.frontier
        ],
    }


class _Told:
    """A verdict in plain values."""

    def __init__(self, setting: Setting, verdict: Verdict) -> None:
        self._setting, self._verdict, self._judge = setting, verdict, verdict.judge

    def policy(self, one: Contender) -> dict[str, Any]:
        """One policy, with all triggers and windows."""
        course, models = self._verdict.courses[one.name], {switch.key: switch.model for switch in one.switches}
        judged = self._judge.judge(course)
        with_as_many = self._judge.judge(self._verdict.best.at_most[course.trainings])
        return {
            "name": one.name,
            "trigger": one.block,
            "parameters": one.parameters,
            "triggers": [
                {
                    "id": fired.id,
                    "key": fired.key,
                    "timestamp": format_timestamp(fired.timestamp_us),
                    "reason": fired.reason,
                    "model": self._model(models.get(fired.key)),
                }
                for fired in one.fired
            ],
            **self._figures(course),
            "composite": judged.composite,
            "windows": [self._window(window) for window in judged.windows],
            "at_prices": [
                {"price": price.written, "cost": cost, "regret": regret}
                for price, cost, regret in zip(self._judge.prices, judged.costs, self._regrets(course), strict=True)
            ],
            "best_with_as_many": with_as_many.mean,
            "notes": [*_notes(one, course), *one.notes],
        }

    def baselines(self) -> dict[str, dict[str, Any]]:
        """Calendars as policies, then guesses, which train nothing: what a regret is about."""
        return {
            **{
                name: {**self._judge.judge(course).composite, **self._figures(course)}
                for name, course in self._verdict.calendars.items()
            },
            **{name: _guess(guess) for name, guess in self._verdict.guesses.items()},
        }

    def best(self, moments: Mapping[int, int]) -> Iterator[dict[str, Any]]:
        """The best schedules; `moments`: event time at the rows at which something may be trained."""
        found = self._verdict.best
        for count, course in found.at_most.items():
            yield {"at_most": count, **self._schedule(course, moments), "cost": _first(self._judge.judge(course).costs)}
        for number, (price, course) in enumerate(zip(self._judge.prices, found.at_price, strict=True)):
            cost = self._judge.judge(course).costs[number]
            yield {"price": price.written, **self._schedule(course, moments), "cost": cost}

    def _figures(self, course: Course) -> dict[str, Any]:
        judged = self._judge.judge(course)
        return {
            "mean": judged.mean,
            "worst": judged.worst,
            "final": judged.final,
            "trainings": judged.trainings,
            "gpu_s": judged.gpu_s,
            "cost": _first(judged.costs),
            "regret": _first(self._regrets(course)),
        }

    def _regrets(self, course: Course) -> list[float]:
        """At each price: the cost above that of the best schedule."""
        pairs = zip(self._judge.prices, self._verdict.best.at_price, strict=True)
        return [self._judge.cost(course, price) - self._judge.cost(best, price) for price, best in pairs]

    def _schedule(self, course: Course, moments: Mapping[int, int]) -> dict[str, Any]:
        models, judged = self._setting.grid.models, self._judge.judge(course)
        start = models[course.start]
        trained = [(one.key, one.model) for one in course.switches]
        if not self._setting.tuned and is_paid_at_first(course.start, course.switches):
            trained.insert(0, (start.key, course.start))
        return {
            "starts_with": self._model(course.start),
            "triggers": [
                {
                    "key": key,
                    "timestamp": format_timestamp(moments[key]),
                    "strategy": self._setting.grid.series[models[model].series],
                    "model": self._model(model),
                }
                for key, model in trained
            ],
            "mean": judged.mean,
            "worst": judged.worst,
            "final": judged.final,
            "trainings": judged.trainings,
            "gpu_s": judged.gpu_s,
        }

    def _model(self, number: int | None) -> dict[str, Any] | None:
        """A model of the grid; None: the trigger got none."""
        if number is None:
            return None
        model = self._setting.grid.models[number]
        return {"series": self._setting.grid.series[model.series], "key": model.key}

    def _window(self, window: JudgedWindow) -> dict[str, Any]:
        stint, metric = window.stint, window.scores[self._setting.losses.metric.label]
        return {
            "first_key": stint.first_key,
            "last_key": stint.last_key,
            "model": self._model(stint.model),
            "first_timestamp": _moment(metric.first_timestamp_us),
            "last_timestamp": _moment(metric.last_timestamp_us),
            "n": metric.n,
            **{label: one.value for label, one in window.scores.items()},
        }


def _guess(guess: Guessed) -> dict[str, Any]:
    return {
        **guess.composite,
        "mean": guess.mean,
        "worst": guess.worst,
        "final": guess.final,
        "rows": guess.rows,
        "trainings": 0,
        "gpu_s": 0.0,
        "cost": _first(guess.costs),
        "regret": None,
    }


def _notes(one: Contender, course: Course) -> Iterator[str]:
    """What was otherwise than in a run."""
    if not one.fired:
        yield "never fires: the first model of the grid is kept"
    elif not course.switches:
        yield "never fires on the rows that are judged: the model that it had before is kept"
    if one.early:
        yield f"{counted(one.early, 'trigger')} came before the first model of the grid, and got that one all the same"
    without = len(one.fired) - len(one.switches)
    if without:
        yield f"{counted(without, 'trigger')} had no row to train on, and got no model"


def _moments(grid: Grid, contenders: Sequence[Contender]) -> dict[int, int]:
    """Key → event time there, of all rows at which something may be trained."""
    fired = {fired.key: fired.timestamp_us for one in contenders for fired in one.fired}
    return fired | {one.key: one.timestamp_us for one in grid.models}


def _price(price: PriceOf) -> dict[str, Any]:
    """As it is written, and in its parts."""
    parts = {"training": price.training, "gpu_second": price.gpu_second, "error": price.error}
    return {"price": price.written, **parts}


def _goes_by(policy: Mapping[str, Any], judge: Judge) -> float:
    cost: float | None = policy["cost"]
    return judge.place(policy["mean"]) if cost is None else cost


def _without_rounding(value: float) -> float:
    """Sums of the same losses over other windows differ in the last digits."""
    return float(f"{value:.{_DIGITS}g}")


def _first(values: Sequence[float | None]) -> float | None:
    return values[0] if values else None


def _moment(moment_us: int | None) -> str | None:
    return None if moment_us is None else format_timestamp(moment_us)
