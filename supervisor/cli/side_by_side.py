"""Runs side by side on one fleet: what `sweep` and `backtest` have in common."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from contextlib import ExitStack

from rich.console import Console

from shared.config.pipeline import Logging
from shared.errors import ConfigurationError
from shared.words import counted
from supervisor.cli.main import main
from supervisor.cli.sweep_view import SweepView
from supervisor.run.stop_signal import StopSignal
from supervisor.sweep.nursery import Nursery
from supervisor.sweep.sweep import Sweep
from supervisor.system.platform import Platform
from supervisor.system.starting import what_is_started

log = logging.getLogger(__name__)

_RUNS_A_WORKER = 2  # a train worker has work while another run is being prepared, or waits for its scores
LOGGING = Logging(level="info", to=("terminal",), metrics_every_batches=1)


def refuse_misused(arguments: argparse.Namespace, noun: str) -> None:
    """Raise ConfigurationError for options that cannot be meant. `noun`: what it is that may go on."""
    if arguments.parallel is not None and arguments.parallel < 1:
        raise ConfigurationError(f"--parallel {arguments.parallel} is not a whole number of at least 1.")
    if arguments.resume and arguments.run_dir is None:
        raise ConfigurationError(f"--resume needs --run-dir DIR, the folder of the {noun} that is to go on.")


def carry_out(
    sweep: Sweep,
    parallel: int | None,
    terminal: Console | None,
    *,
    resumes: bool,
    check: Callable[[], None] = lambda: None,
) -> bool:
    """Carry out what is unfinished, if anything is; False if somebody stopped it before a run began, which is told.

    `parallel`: runs at a time; None: as many as keep the train workers busy; `check`: looks at a new one, before
    anything is started. Raises ModynError.
    """
    try:
        if resumes:
            sweep.take_up()
        else:
            check()
        if sweep.unfinished:
            _on_one_fleet(sweep, parallel, terminal, resumes=resumes)
    except KeyboardInterrupt:
        Console(stderr=True).print(f"Stopped before the {sweep.wanted.noun} began; nothing was changed.")
        return False
    finally:
        sweep.place.release()
    return True


def _on_one_fleet(sweep: Sweep, parallel: int | None, terminal: Console | None, *, resumes: bool) -> None:
    """Start broker and fleet, and the runs on them. Raises KeyboardInterrupt if it is stopped before a run begins."""
    stop, place, configuration = StopSignal(at_once=sweep.kill), sweep.place, sweep.unfinished[0].configuration
    if resumes:
        place.lock()
    log.info("%s …", what_is_started(configuration.system))
    with ExitStack() as stack:
        with stop.deferred():
            nursery = Nursery(main, loads=("supervisor.cli.run",))
            workers_log = place.workers_log(is_made=resumes)
            platform = stack.enter_context(Platform(configuration, workers_log, keep_log=resumes))
        _, workers = platform.ready()
        platform.give_keys()
        stop.listen()
        if not resumes:
            place.create(sweep.wanted)
            platform.keep_log(place.workers_log(is_made=True))
        parallel = parallel or _RUNS_A_WORKER * sum(worker.role == "train" for worker in workers)
        log.info("%s: %s; %s", sweep.wanted.noun, place.path, how_many(len(sweep.unfinished), parallel))
        with SweepView(terminal, sweep) as view:
            sweep.carry_out(nursery, platform, parallel, stop, view)
    stop.over()  # what follows may take a while


def how_many(runs: int, parallel: int) -> str:
    """Runs, and how many of them at a time."""
    if parallel >= runs:
        return f"{counted(runs, 'run')}{' side by side' if runs > 1 else ''}"
    return f"{counted(runs, 'run')}, {parallel} at a time"
