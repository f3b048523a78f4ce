"""`sweep`: a run of every combination of settings on one fleet, and a comparison of what they came to."""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from shared.command import COMMAND
from shared.config.load import Configuration, load_system
from shared.config.pipeline import Logging
from shared.errors import ConfigurationError
from supervisor.cli.console import table_console
from supervisor.cli.log import set_up_logging
from supervisor.cli.run import scope_of
from supervisor.cli.sweep_view import SweepView
from supervisor.run.stop_signal import StopSignal
from supervisor.sweep.combinations import combinations
from supervisor.sweep.outcome import Outcome
from supervisor.sweep.place import Place, Wanted
from supervisor.sweep.planned import Planned, planned, refuse_unmeasured
from supervisor.sweep.sweep import Sweep
from supervisor.sweep.values import swept
from supervisor.system.known_runs import note_run
from supervisor.system.platform import Platform
from supervisor.system.starting import what_is_started

log = logging.getLogger(__name__)

_RUNS_A_WORKER = 2  # so that a train worker has work while another run selects, or is being prepared


def run(arguments: argparse.Namespace) -> int:
    """Carry the sweep out; 0 when all is finished or it was stopped cleanly, 1 if a run failed. Raises ModynError."""
    scope_of(arguments)
    place, wanted = _place(arguments)
    files = arguments.pipeline.resolve(), arguments.config.resolve()
    runs = planned(*files, combinations([swept(one) for one in wanted.set]))
    refuse_unmeasured(runs, arguments.sort)
    terminal = set_up_logging(_LOGGING, "human", arguments.quiet, arguments.debug)
    sweep = Sweep(runs, place, wanted, files)
    try:
        if arguments.resume:
            place.lock()
            sweep.take_up()
        if sweep.unfinished:
            _carry_out(sweep, place, wanted, arguments, terminal)
    except KeyboardInterrupt:
        Console(stderr=True).print("Stopped before the sweep began; nothing was changed.")
        return 0
    finally:
        place.release()
    return _close(sweep, place, arguments)
