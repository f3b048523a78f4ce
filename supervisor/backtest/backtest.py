"""A back-test: policies replayed on the models of a grid, judged, and set against the best schedules there are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from shared.config.load import Configuration
from shared.config.pipeline import Metric
from shared.errors import ConfigurationError, NotReadyError, RunFailedError
from shared.words import counted
from supervisor.backtest.grid.grid import Grid
from supervisor.backtest.grid.policies_file import Policies, Tested, with_block
from supervisor.backtest.judging.contenders import Contender, Setting, judged
from supervisor.backtest.judging.content import content_of
from supervisor.backtest.judging.course import Stretch
from supervisor.backtest.judging.courses import course_of
from supervisor.backtest.judging.judge import Judge
from supervisor.backtest.judging.label_baselines import label_windows
from supervisor.backtest.judging.needed import ScoresOf
from supervisor.backtest.matrix.counted_scores import CountedScores, are_counted
from supervisor.backtest.matrix.losses import Losses, measure_losses
from supervisor.backtest.matrix.window_scores import WindowScores
from supervisor.backtest.progress import OfPolicies, Progress, telling
from supervisor.backtest.replaying.on_grid import Played, Player
from supervisor.backtest.replaying.recording import Recording
from supervisor.backtest.stretches import parted, time_at, whole_stretch
from supervisor.backtest.tuning.fit import Fitted, Trial, Worth
from supervisor.backtest.tuning.side_by_side import fit_all
from supervisor.compare.one_dataset import refuse_changed


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for beside the policies."""

    every: str | int | None  # how far apart the grid's models are, as it is written; None: earlier runs made them
    at_most: int  # the best schedules have up to so many trainings
    tunes: bool = False
    tune_until_us: int | None = None  # the last event time on which is fitted; None: after 40 % of the rows


class Tried(NamedTuple):
    """A policy as it is judged: as it is written, or fitted."""

    tested: Tested
    fitted: Fitted | None


class Backtested(NamedTuple):
    """What came of it."""

    content: dict[str, Any]  # what --json prints
    tried: dict[str, Tried]  # by name
    fit_on: Stretch | None  # None: nothing was fitted
    judge_on: Stretch


def require_prices(policies: Policies, option: str) -> None:
    """Raise ConfigurationError where an option needs a price and there is none."""
    if not policies.prices:
        raise ConfigurationError(
            f"{option} goes by total cost, and there is no price; write `prices: [100]` into POLICIES.yaml, for "
            "trainings that cost as much as 100 errors, or such as [{training: 5, error: 0.01}]."
        )


def backtest(
    policies: Policies, recording: Recording, grid: Grid, wish: Wish, folder: Path, progress: Progress
) -> Backtested:
    """Carry it out; `recording`: of the policies' pipeline; `folder`: for files of losses, which stay.

    Raises ConfigurationError for what was typed, NotReadyError for what cannot be judged, RunFailedError for a policy
    that fails, DataError.
    """
    stream, labels = recording.stream, recording.labels
    for run in grid.runs:
        refuse_changed(run, stream.dataset.entries, None if labels is None else labels.entries)
    whole, pipeline = whole_stretch(grid, stream), policies.configuration.pipeline
    fit_on, judge_on = parted(whole, grid, stream, wish.tune_until_us) if wish.tunes else (None, whole)

    def measured(metric: Metric) -> Losses:
        told = telling(progress, "model", "measured")
        return measure_losses(grid, pipeline, metric, whole.last_key, folder, told)

    losses = measured(policies.metric)
    with ExitStack() as stack:
        player = stack.enter_context(Player(recording, grid))
        scores: ScoresOf = stack.enter_context(
            WindowScores(grid, pipeline, whole.last_key, telling(progress, "window", "scored"))
        )
        if are_counted(pipeline, dataset := stream.dataset.config):
            of_all = [losses if one == policies.metric else measured(one) for one in pipeline.evaluation.metrics]
            scores = CountedScores(grid, pipeline, dataset, whole.last_key, of_all, partial(time_at, stream), scores)
        tried = [Tried(one, None) for one in policies.policies]
        if fit_on is not None:
            judge = Judge(grid, losses, scores, fit_on, policies.prices)
            tried = _fitted(policies, player, judge, progress)
        progress(f"{len(tried)} policies are replayed" if len(tried) > 1 else "the policy is replayed")
        played = _replayed(player, tried, progress)
        setting = Setting(
            grid=grid,
            every=wish.every,
            losses=losses,
            scores=scores,
            stretch=judge_on,
            ends_us=(time_at(stream, judge_on.first_key), time_at(stream, judge_on.last_key)),
            prices=policies.prices,
            at_most=wish.at_most,
            tuned_until_us=None if fit_on is None else time_at(stream, fit_on.last_key),
            guesses=label_windows(grid.runs[grid.models[0].run], judge_on),
        )
        contenders = list(map(_contender, tried, played))
        content = content_of(setting, contenders, judged(setting, contenders))
    return Backtested(content, {one.tested.name: one for one in tried}, fit_on, judge_on)


def _replayed(player: Player, tried: Sequence[Tried], progress: Progress) -> list[Played]:
    """All of them, side by side. Raises as `play` does, with the policy's name."""
    told = OfPolicies(progress, len(tried), "replayed")

    def replayed(one: Tried) -> Played:
        try:
            played = player.play(one.tested.configuration)
        except (NotReadyError, RunFailedError) as error:
            raise error.about(f"policies.{one.tested.name}") from error
        told.done(one.tested.name)
        return played

    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="replay") as threads:
        try:
            return list(threads.map(replayed, tried))
        except BaseException:  # somebody interrupts, or one has failed: what others still do is of no use
            player.stop()
            raise


def _fitted(policies: Policies, player: Player, judge: Judge, progress: Progress) -> list[Tried]:
    """Each policy with the parameters that cost least on the judge's rows, which end where fitting ends."""
    tested, price = {one.name: one for one in policies.policies}, policies.prices[0]
    any_of_them, told = policies.policies[0], OfPolicies(progress, len(tested), "fitted")

    def play(configuration: Configuration) -> Played:
        played = player.play(configuration, judge.stretch.last_key)
        told.replayed()
        return played

    def cost(played: Played) -> Worth:
        course = course_of(played.switches, judge.grid, judge.stretch, tuned=False)
        return Worth(judge.cost(course, price), course.trainings)

    found = fit_all(
        {name: one.block for name, one in tested.items()},
        Trial(
            configured=lambda block: with_block(any_of_them, dict(block)).configuration,
            play=play,
            cost=cost,
        ),
        policies.ladders,
        at_once=os.cpu_count() or 1,
        told=lambda name, fitted: told.done(name, f", {counted(fitted.tried, 'replay')}"),
        stop=player.stop,
    )
    return [Tried(Tested(name, fitted.block, fitted.configuration), fitted) for name, fitted in found.items()]


def _contender(tried: Tried, played: Played) -> Contender:
    return Contender(
        name=tried.tested.name,
        block=tried.tested.block,
        parameters=tried.fitted.parameters if tried.fitted is not None else {},
        fired=played.replayed.fired,
        switches=played.switches,
        early=played.early,
        notes=tuple(_notes(tried, played)),
    )


def _notes(tried: Tried, played: Played) -> Iterator[str]:
    """What is to be known of a policy beside its figures."""
    if tried.fitted is not None:
        yield from tried.fitted.notes
    if played.replayed.violations:
        yield f"rows were not as expected {counted(len(played.replayed.violations), 'time')}"
