"""`sweep`: a run of every combination of settings on one fleet, and a comparison of what they came to."""

from __future__ import annotations

import argparse
import logging
from contextlib import ExitStack

from rich.console import Console

from shared.config.pipeline import Logging
from shared.errors import ConfigurationError
from supervisor.cli.log import set_up_logging
from supervisor.cli.main import main
from supervisor.cli.run import scope_of
from supervisor.cli.sweep_end import tell_end
from supervisor.cli.sweep_view import SweepView
from supervisor.compare.plot import require_plot
from supervisor.run.stop_signal import StopSignal
from supervisor.sweep.combinations import combinations
from supervisor.sweep.nursery import Nursery
from supervisor.sweep.place import Place, Wanted
from supervisor.sweep.planned import planned, refuse_unmeasured
from supervisor.sweep.sweep import Sweep
from supervisor.sweep.values import swept
from supervisor.system.platform import Platform
from supervisor.system.starting import what_is_started

log = logging.getLogger(__name__)

_RUNS_A_WORKER = 2  # a train worker has work while another run is being prepared, or waits for its scores
_LOGGING = Logging(level="info", to=("terminal",), metrics_every_batches=1)


def run(arguments: argparse.Namespace) -> int:
    """Carry the sweep out; 0 when all is finished or it was stopped cleanly, 1 if a run failed. Raises ModynError."""
    _refuse(arguments)
    sweep = _planned(arguments)
    terminal = set_up_logging(_LOGGING, "human", arguments.quiet, arguments.debug)
    try:
        if arguments.resume:
            sweep.take_up()
        if sweep.unfinished:
            _carry_out(arguments, sweep, terminal)
    except KeyboardInterrupt:
        Console(stderr=True).print("Stopped before the sweep began; nothing was changed.")
        return 0
    finally:
        sweep.place.release()
    return tell_end(sweep, arguments)


def _refuse(arguments: argparse.Namespace) -> None:
    """Raise ConfigurationError, or NotReadyError for a picture that cannot be drawn, before anything is read."""
    scope_of(arguments)
    if arguments.parallel is not None and arguments.parallel < 1:
        raise ConfigurationError(f"--parallel {arguments.parallel} is not a whole number of at least 1.")
    if arguments.resume and arguments.run_dir is None:
        raise ConfigurationError("--resume needs --run-dir DIR, the folder of the sweep that is to go on.")
    if not arguments.resume and not arguments.set:
        raise ConfigurationError("a sweep needs --set KEY=A,B, such as --set trigger.every=2000,6000.")
    if arguments.plot is not None:
        require_plot(arguments.plot)


def _planned(arguments: argparse.Namespace) -> Sweep:
    """All runs, checked, and the folder for them. Raises ConfigurationError; changes nothing."""
    wanted = Wanted(
        set=tuple(arguments.set),
        start_replay_at=arguments.start_replay_at,
        stop_replay_at=arguments.stop_replay_at,
        maximum_triggers=arguments.maximum_triggers,
    )
    place = None if arguments.run_dir is None else Place.at(arguments.run_dir)
    if place is not None and arguments.resume:
        wanted = place.wanted(wanted)
    elif place is not None:
        place.refuse_if_taken()
    files = arguments.pipeline.resolve(), arguments.config.resolve()
    runs = planned(*files, combinations([swept(one) for one in wanted.set]))
    refuse_unmeasured(runs, arguments.sort)
    return Sweep(runs, place or Place.fresh(runs[0].configuration), wanted, files)


def _carry_out(arguments: argparse.Namespace, sweep: Sweep, terminal: Console | None) -> None:
    """Start broker and fleet, and carry out on them what is unfinished.

    Raises KeyboardInterrupt if it is stopped before a run begins, and ModynError.
    """
    stop, place, configuration = StopSignal(at_once=sweep.kill), sweep.place, sweep.unfinished[0].configuration
    if arguments.resume:
        place.lock()
    log.info("%s …", what_is_started(configuration.system))
    with ExitStack() as stack:
        with stop.deferred():
            nursery = Nursery(main, loads=("supervisor.cli.run",))
            workers_log = place.workers_log(is_made=arguments.resume)
            platform = stack.enter_context(Platform(configuration, workers_log, keep_log=arguments.resume))
        _, workers = platform.ready()
        platform.give_keys()
        stop.listen()
        if not arguments.resume:
            place.create(sweep.wanted)
            platform.keep_log(place.workers_log(is_made=True))
        parallel = arguments.parallel or _RUNS_A_WORKER * sum(worker.role == "train" for worker in workers)
        log.info("sweep: %s; %d runs, %d at a time", place.path, len(sweep.unfinished), parallel)
        with SweepView(terminal, sweep) as view:
            sweep.carry_out(nursery, platform, parallel, stop, view)
    stop.over()  # the comparison may take a while
