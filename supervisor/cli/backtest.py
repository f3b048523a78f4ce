"""`backtest`: what policies are worth, all of them judged on one grid of trainings."""

from __future__ import annotations

import argparse
import logging
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from shared.command import COMMAND
from shared.config.changes import changes_of
from shared.config.secrets import hide
from shared.errors import ConfigurationError, ModynError
from shared.temporary import scratch_folder
from shared.timestamps import parse_timestamp_us
from shared.words import counted
from supervisor.backtest.ahead import ahead_of, refuse_useless, trainings_ahead
from supervisor.backtest.backtest import Wish, backtest, require_prices
from supervisor.backtest.grid.earlier_runs import grid_of_runs
from supervisor.backtest.grid.grid import Grid
from supervisor.backtest.grid.grid_runs import WantedGrid, planned_grid, refuse_unkept
from supervisor.backtest.grid.policies_file import Policies, load_policies
from supervisor.backtest.grid.read_grid import read_grid
from supervisor.backtest.replaying.recording import Recording, open_recording
from supervisor.backtest.report.plot import plot
from supervisor.backtest.report.policy_file import require_writable
from supervisor.backtest.report.table import backtest_table
from supervisor.backtest.winner import write_winner
from supervisor.cli.compare import json_text
from supervisor.cli.console import table_console
from supervisor.cli.log import set_up_logging
from supervisor.cli.parser import AT_MOST
from supervisor.cli.run import scope_of
from supervisor.cli.side_by_side import LOGGING, carry_out, refuse_misused
from supervisor.compare.plot import require_plot
from supervisor.sweep.place import Place, Wanted
from supervisor.sweep.sweep import Sweep

log = logging.getLogger(__name__)

_LOSSES = "losses"  # the folder of what models lose, beside the runs


def run(arguments: argparse.Namespace) -> int:
    """Train the grid, if need be, and judge; 0 also when it was stopped cleanly, 1 if a run failed.

    Raises ModynError.
    """
    _refuse(arguments)
    terminal = set_up_logging(LOGGING, "human", arguments.quiet, arguments.debug)
    if arguments.runs is not None:
        try:
            _judge_runs(arguments)
        except KeyboardInterrupt:
            print("Stopped.", file=sys.stderr)  # noqa: T201
        return 0
    policies, sweep = _planned(arguments)

    def check() -> None:
        """Whether anything can be judged on the grid, and how much there is to train, before anything is started."""
        with _recording(arguments, policies, sweep.wanted) as recording:
            ahead = ahead_of(sweep.runs[0].configuration.pipeline.trigger, recording)
            refuse_useless(policies, recording, ahead)
        log.info("%s", trainings_ahead(policies, ahead))

    if not carry_out(sweep, arguments.parallel, terminal, resumes=arguments.resume, check=check):
        return 0
    unfinished = list(_unfinished(sweep, arguments))
    for sentence in unfinished:
        print(sentence, file=sys.stderr)  # noqa: T201
    if unfinished:
        return ModynError.exit_code if any(one.status == "failed" for one in sweep.outcomes.values()) else 0
    folders = [sweep.place.run(one.name).path for one in sweep.runs]
    try:
        grid = read_grid(folders, [one.title for one in policies.series])
        with _recording(arguments, policies, sweep.wanted) as recording:
            _judge(arguments, Judging(policies, recording, grid, policies.every), sweep.place.path / _LOSSES)
    except KeyboardInterrupt:
        print(f"Stopped; all models are there. {how_to_go_on(sweep.place.path, arguments)}", file=sys.stderr)  # noqa: T201
        return 0
    print(f"back-test: {sweep.place.path}", file=sys.stderr if arguments.json else sys.stdout)
    return 0


def _refuse(arguments: argparse.Namespace) -> None:
    """Raise ConfigurationError, or NotReadyError for a picture that cannot be drawn, before anything is read."""
    scope_of(arguments)
    refuse_misused(arguments, WantedGrid.noun)
    if arguments.at_most < 1:
        raise ConfigurationError(f"--at-most {arguments.at_most} is not a whole number of at least 1.")
    if arguments.runs is not None:
        given = {"--run-dir": arguments.run_dir, "--resume": arguments.resume, "--parallel": arguments.parallel}
        named = next((option for option, value in given.items() if value), None)
        if named is not None:
            raise ConfigurationError(f"{named} is about runs that train models, and --runs trains none; leave one out.")
    if arguments.tune_until is not None and not arguments.tune:
        raise ConfigurationError("--tune-until goes with --tune, which fits parameters up to then.")
    _tune_until_us(arguments)
    if arguments.write is not None:
        notes = [] if arguments.run_dir is None else [arguments.run_dir / WantedGrid.note]
        require_writable(arguments.write, (arguments.pipeline, arguments.config, arguments.policies, *notes))
    if arguments.plot is not None:
        require_plot(arguments.plot)
        if arguments.write is not None and arguments.plot.resolve() == arguments.write.resolve():
            raise ConfigurationError(f"--plot and --write both name {arguments.plot}; name a file for each.")


def _tune_until_us(arguments: argparse.Namespace) -> int | None:
    try:
        return None if arguments.tune_until is None else parse_timestamp_us(arguments.tune_until)
    except ValueError:
        told = f"--tune-until {arguments.tune_until} is not a time; write one such as 2013-01-01T00:00:00Z."
        raise ConfigurationError(told) from None


def _policies(arguments: argparse.Namespace, settings: Sequence[str]) -> Policies:
    """All three files, checked. Raises ConfigurationError."""
    files = arguments.policies, arguments.pipeline, arguments.config
    trains = arguments.runs is None
    policies = load_policies(*files, changes_of(settings), metric=arguments.metric, trains=trains)
    for option, is_given in (("--tune", arguments.tune), ("--write", arguments.write is not None)):
        if is_given:
            require_prices(policies, option)
    return policies


def _planned(arguments: argparse.Namespace) -> tuple[Policies, Sweep]:
    """The policies, and the runs of the grid, all checked; changes nothing. Raises ConfigurationError."""
    wanted = WantedGrid(
        set=tuple(arguments.set), start_replay_at=arguments.start_replay_at, stop_replay_at=arguments.stop_replay_at
    )
    place = None if arguments.run_dir is None else Place.at(arguments.run_dir, WantedGrid)
    if place is not None and arguments.resume:
        wanted = place.wanted(wanted)
    elif place is not None:
        place.refuse_if_taken()
    policies = _policies(arguments, wanted.set)
    refuse_unkept(policies.configuration)
    now = wanted.of(policies)
    if arguments.resume:
        wanted.refuse_other(now, policies.source.told("grid"))
    files = arguments.pipeline.resolve(), arguments.config.resolve()
    runs = planned_grid(policies, files, changes_of(now.set))
    return policies, Sweep(runs, place or Place.fresh(policies.configuration, WantedGrid), now, files)


def _unfinished(sweep: Sweep, arguments: argparse.Namespace) -> Iterator[str]:
    """What became of runs that have not finished, and how to go on; nothing where all have."""
    titles = {one.name: one.title for one in sweep.runs}
    left = [one for one in sweep.outcomes.values() if one.status in ("failed", "stopped")]
    for one in left:
        log_file = f" ({sweep.place.log(one.name)})" if one.status == "failed" else ""
        yield f"{titles[one.name]} {one.status}: {one.reason}{log_file}"
    not_begun = len(sweep.unfinished)
    if not_begun:
        yield f"{counted(not_begun, 'run')} of the grid {'has' if not_begun == 1 else 'have'} not begun"
    if left or not_begun:
        yield how_to_go_on(sweep.place.path, arguments)


def how_to_go_on(folder: Path, arguments: argparse.Namespace) -> str:
    """With all that was typed but what the folder knows. `folder`: of the back-test."""
    words = [arguments.pipeline, arguments.config, arguments.policies, "--run-dir", folder, "--resume"]
    for option in ("metric", "at_most", "tune", "tune_until", "write", "json", "plot", "parallel", "quiet"):
        value = getattr(arguments, option)
        if value and (option, value) != ("at_most", AT_MOST):
            words += [f"--{option.replace('_', '-')}", *([] if value is True else [value])]
    return f"go on with: {COMMAND} backtest {shlex.join(map(str, words))}"


class Judging(NamedTuple):
    """What is judged, on what."""

    policies: Policies
    recording: Recording
    grid: Grid
    every: str | int | None


@contextmanager
def _recording(arguments: argparse.Namespace, policies: Policies, wanted: Wanted | None) -> Iterator[Recording]:
    """The rows that are followed, for as long as it lasts. `wanted`: of the grid; None: only what was typed."""
    scope = scope_of(arguments if wanted is None else argparse.Namespace(**{**vars(arguments), **_stretch(wanted)}))
    with scratch_folder("backtest") as folder:
        yield open_recording(policies.configuration, scope, folder)


def _stretch(wanted: Wanted) -> dict[str, str | None]:
    return {"start_replay_at": wanted.start_replay_at, "stop_replay_at": wanted.stop_replay_at}


def _judge_runs(arguments: argparse.Namespace) -> None:
    """On models that are there already; the losses of these are measured each time."""
    policies = _policies(arguments, arguments.set)
    log.info("--runs: models that are there stand for those of `grid:`, of which none is trained")
    with _recording(arguments, policies, None) as recording, scratch_folder("losses") as folder:
        grid = grid_of_runs(arguments.runs, policies, recording.stream.start.started.first_key, log.info)
        _judge(arguments, Judging(policies, recording, grid, None), folder)


def _judge(arguments: argparse.Namespace, of: Judging, losses: Path) -> None:
    """Judge, and print, draw and write what came of it."""
    wish = Wish(
        every=of.every,
        at_most=arguments.at_most,
        tunes=arguments.tune,
        tune_until_us=_tune_until_us(arguments),
    )
    found = backtest(of.policies, of.recording, of.grid, wish, losses, lambda words: log.info("… %s", words))
    if arguments.json:
        print(hide(json_text(found.content)))  # noqa: T201
    else:
        table_console().print(backtest_table(found.content))
    if arguments.write is not None:
        write_winner(arguments.write, found, of.policies, of.recording.stream)
    if arguments.plot is not None:  # last: where it cannot be written, all else is told all the same
        plot(found.content, arguments.plot)
