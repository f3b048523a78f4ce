"""`./modyn-supervisor PIPELINE CONFIG`: run a pipeline."""

from __future__ import annotations

import argparse
import sys
from contextlib import nullcontext
from typing import Any

import msgspec
from rich.console import Console

from shared.config.changes import changes_of
from shared.errors import ConfigurationError
from shared.timestamps import parse_timestamp_us
from supervisor.cli.console import table_console
from supervisor.cli.live import LiveView
from supervisor.cli.log import log_to_files, set_up_logging
from supervisor.core.notices import Listener
from supervisor.results.closing_table import closing_table
from supervisor.run.directory import RunDirectory
from supervisor.run.session import MakeView, Options, Session
from supervisor.run.start.first_events import Scope
from supervisor.system.both_files import load_both


def run(arguments: argparse.Namespace) -> int:
    """Run or resume; 0 when finished or stopped cleanly, 1 when the run failed."""
    options = _options(arguments)
    experiment = options.scope.experiment
    changes = changes_of(arguments.set)
    configuration = load_both(arguments.pipeline, arguments.config, changes, experiment_mode=experiment)
    terminal = set_up_logging(configuration.pipeline.logging, arguments.log_format, arguments.quiet, arguments.debug)
    session = Session(configuration, options, _watcher(terminal))
    try:
        with log_to_files(configuration.pipeline.logging, session.directory.path, arguments.log_format):
            content = session.run()
    except KeyboardInterrupt:
        Console(stderr=True).print("Stopped before the run began; nothing was changed.")
        return 0
    _close(content, session, as_json=arguments.json)
    return 1 if content is not None and content["status"] == "failed" else 0


def _watcher(terminal: Console | None) -> MakeView:
    """Who watches the run: the live view on a terminal, else nobody."""
    if terminal is None:
        return lambda _: nullcontext(Listener())
    return lambda client: LiveView(terminal, client)


def _close(content: dict[str, Any] | None, session: Session, *, as_json: bool) -> None:
    """Print what the run came to."""
    console, folder = table_console(), session.directory.path
    if as_json:
        sys.stdout.write((folder / "summary.json").read_text())
    elif content is None:
        told = f"The run in {folder} is finished already; there is nothing to resume."
        console.print(told, *([session.grown] if session.grown else []), soft_wrap=True, markup=False)
    else:
        console.print(closing_table(content))
        console.print(f"run directory: {folder}", soft_wrap=True, markup=False)


def _options(arguments: argparse.Namespace) -> Options:
    if arguments.resume and arguments.run_dir is None:
        raise ConfigurationError("--resume needs --run-dir DIR, the directory of the run that is to go on.")
    run_dir = None if arguments.run_dir is None else arguments.run_dir.resolve()
    if arguments.resume:
        _refuse_new_scope(arguments)
    scope = scope_of(arguments)
    if run_dir is not None and arguments.resume:
        experiment = RunDirectory(run_dir).was_experiment or scope.experiment
        scope = msgspec.structs.replace(scope, experiment=experiment)
    return Options(scope=scope, run_dir=run_dir, resume=arguments.resume, starts_workers=not arguments.no_fleet)


def scope_of(arguments: argparse.Namespace) -> Scope:
    """What the options say of the rows that are followed. Raises ConfigurationError."""
    if arguments.maximum_triggers is not None and arguments.maximum_triggers < 1:
        raise ConfigurationError(
            f"--maximum-triggers {arguments.maximum_triggers} is not a whole number of at least 1."
        )
    start_us = _moment("--start-replay-at", arguments.start_replay_at)
    stop_us = _moment("--stop-replay-at", arguments.stop_replay_at)
    if start_us is not None and stop_us is not None and stop_us <= start_us:
        raise ConfigurationError("--stop-replay-at must be later than --start-replay-at.")
    if (start_us is not None or stop_us is not None) and not arguments.experiment_mode:
        raise ConfigurationError("--start-replay-at and --stop-replay-at go with --experiment-mode.")
    if arguments.deploy and not arguments.experiment_mode:
        raise ConfigurationError("--deploy goes with --experiment-mode: a run that follows its dataset always deploys.")
    return Scope(
        experiment=arguments.experiment_mode,
        start_replay_us=start_us,
        stop_replay_us=stop_us,
        maximum_triggers=arguments.maximum_triggers,
        deploy=arguments.deploy,
    )


def _refuse_new_scope(arguments: argparse.Namespace) -> None:
    """A run goes on with the stretch of the stream that it was started with."""
    given = {
        "--start-replay-at": arguments.start_replay_at,
        "--stop-replay-at": arguments.stop_replay_at,
        "--maximum-triggers": arguments.maximum_triggers,
        "--deploy": arguments.deploy or None,
    }
    named = [option for option, value in given.items() if value is not None]
    if named:
        raise ConfigurationError(
            f"{named[0]} cannot be changed with --resume: the run goes on with what it was started with. Leave it out."
        )


def _moment(option: str, text: str | None) -> int | None:
    try:
        return None if text is None else parse_timestamp_us(text)
    except ValueError:
        raise ConfigurationError(f"{option} {text} is not a time; write one such as 2013-01-01T00:00:00Z.") from None
