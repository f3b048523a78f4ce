"""`validate`: all that is wrong, without running anything."""

from __future__ import annotations

import argparse
import importlib.util

from shared.config.load import load_configuration
from shared.config.secrets import hide
from supervisor.cli.console import table_console
from supervisor.run.start.validation import check_offline, check_system
from supervisor.system.both_files import load_both


def run(arguments: argparse.Namespace) -> int:
    """Check the files, then the system they need; 0 if a run could start. Raises ModynError with what is wrong."""
    load = load_configuration if arguments.offline else load_both
    configuration = load(arguments.pipeline, arguments.config, experiment_mode=arguments.experiment_mode)
    console = table_console()
    console.print("configuration: no mistake in the keys and values of both files")
    if not arguments.offline:
        ready = check_system(
            configuration,
            lambda line: console.print(hide(line), markup=False, highlight=False, soft_wrap=True),
            follows=not arguments.experiment_mode,
        )
        console.print(f"system: {ready}")
    elif importlib.util.find_spec("torch") is None:
        console.print("model, optimizer and loss: not checked, PyTorch is not installed here")
    else:
        check_offline(configuration)
        console.print("model, optimizer and loss: can be made")
    return 0
