"""`sweep`: a run of every combination of settings on one fleet, and a comparison of what they came to."""

from __future__ import annotations

import argparse

from shared.errors import ConfigurationError
from supervisor.cli.log import set_up_logging
from supervisor.cli.run import scope_of
from supervisor.cli.side_by_side import LOGGING, carry_out, refuse_misused
from supervisor.cli.sweep_end import tell_end
from supervisor.compare.plot import require_plot
from supervisor.sweep.combinations import combinations
from supervisor.sweep.place import Place, Wanted
from supervisor.sweep.planned import planned, refuse_unmeasured
from supervisor.sweep.sweep import Sweep
from supervisor.sweep.values import swept


def run(arguments: argparse.Namespace) -> int:
    """Carry the sweep out; 0 when all is finished or it was stopped cleanly, 1 if a run failed. Raises ModynError."""
    _refuse(arguments)
    sweep = _planned(arguments)
    terminal = set_up_logging(LOGGING, "human", arguments.quiet, arguments.debug)
    begun = carry_out(sweep, arguments.parallel, terminal, resumes=arguments.resume)
    return tell_end(sweep, arguments) if begun else 0


def _refuse(arguments: argparse.Namespace) -> None:
    """Raise ConfigurationError, or NotReadyError for a picture that cannot be drawn, before anything is read."""
    scope_of(arguments)
    refuse_misused(arguments, Wanted.noun)
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
