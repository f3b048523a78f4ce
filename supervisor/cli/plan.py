"""`plan`: which triggers would fire on the recorded stream, and what they would cost, without training."""

from __future__ import annotations

import argparse
import json
import math

from shared.config.changes import changes_of
from shared.config.secrets import hide
from shared.errors import ConfigurationError
from supervisor.backtest.planning.plan import plan
from supervisor.backtest.planning.plan_table import plan_table
from supervisor.cli.console import table_console
from supervisor.cli.run import scope_of
from supervisor.system.both_files import load_both


def run(arguments: argparse.Namespace) -> int:
    """Print a table or JSON; 0 also where only a run can tell some of it. Raises ModynError."""
    per_sample_s: float | None = arguments.seconds_per_sample
    if per_sample_s is not None and not (math.isfinite(per_sample_s) and per_sample_s > 0):
        raise ConfigurationError(f"--seconds-per-sample {per_sample_s:g} is no time; write seconds such as 0.0005.")
    scope = scope_of(arguments)
    configuration = load_both(
        arguments.pipeline, arguments.config, changes_of(arguments.set), experiment_mode=scope.experiment
    )
    content = plan(configuration, scope, per_sample_s=per_sample_s)
    if arguments.json:
        print(hide(json.dumps(content, indent=2, ensure_ascii=False)))  # noqa: T201
    else:
        table_console().print(plan_table(content))
    return 0
