"""`./modyn-supervisor PIPELINE CONFIG`: run a pipeline."""

from __future__ import annotations

import argparse

from rich.console import Console

from shared.config.load import load_configuration
from shared.errors import ConfigurationError
from shared.timestamps import parse_timestamp_us
from supervisor.cli.log import log_to_files, set_up_logging
from supervisor.results.summary import closing_table
from supervisor.run.session import Options, Session


def run(arguments: argparse.Namespace) -> int:
    """Run or resume; 0 when finished or stopped cleanly, 1 when the run failed."""
    configuration = load_configuration(arguments.pipeline, arguments.config, experiment_mode=arguments.experiment_mode)
    options = _options(arguments)
    set_up_logging(configuration.pipeline.logging, arguments.log_format, arguments.quiet, arguments.debug)
    session = Session(configuration, options)
    with log_to_files(configuration.pipeline.logging, session.directory.path, arguments.log_format):
        content = session.run()
    console = Console()
    if content is None:
        console.print(f"The run in {session.directory.path} is finished already; there is nothing to resume.")
        return 0
    console.print(closing_table(content))
    console.print(f"run directory: {session.directory.path}", soft_wrap=True)
    return 1 if content["status"] == "failed" else 0


def _options(arguments: argparse.Namespace) -> Options:
    if arguments.resume and arguments.run_dir is None:
        raise ConfigurationError("--resume needs --run-dir DIR, the directory of the run that is to go on.")
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
    return Options(
        experiment_mode=arguments.experiment_mode,
        run_dir=None if arguments.run_dir is None else arguments.run_dir.resolve(),
        resume=arguments.resume,
        start_replay_us=start_us,
        stop_replay_us=stop_us,
        maximum_triggers=arguments.maximum_triggers,
    )


def _moment(option: str, text: str | None) -> int | None:
    try:
        return None if text is None else parse_timestamp_us(text)
    except ValueError:
        raise ConfigurationError(f"{option} {text} is not a time; write one such as 2013-01-01T00:00:00Z.") from None
