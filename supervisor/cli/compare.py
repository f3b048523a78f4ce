"""`compare`: runs side by side, on the rows that all of them scored."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any

from shared.errors import ConfigurationError
from supervisor.cli.console import table_console
from supervisor.compare.comparison import compare
from supervisor.compare.comparison_csv import runs_csv, windows_csv
from supervisor.compare.comparison_table import comparison_table
from supervisor.compare.plot import plot, require_plot


def run(arguments: argparse.Namespace) -> int:
    """Print a table, JSON or CSV, and draw a picture. Raises ModynError for what cannot be compared."""
    if arguments.windows and not arguments.csv:
        raise ConfigurationError("--windows: is for --csv; --json has the windows of each run anyway.")
    if arguments.plot is not None:
        require_plot(arguments.plot)
    content = compare(arguments.run_dirs, sort=arguments.sort, progress=say)
    if arguments.json:
        print(json_text(content))  # noqa: T201
    elif arguments.csv:
        sys.stdout.write((windows_csv if arguments.windows else runs_csv)(content))
    else:
        table_console().print(comparison_table(content))
    if arguments.plot is not None:  # last: where it cannot be written, what was evaluated anew is told all the same
        plot(content, arguments.plot)
    return 0


def json_text(content: Mapping[str, Any]) -> str:
    """A comparison as `--json` prints it; rich would take seconds to colour it."""
    return json.dumps(content, indent=2, ensure_ascii=False)


def say(sentence: str) -> None:
    """Tell on standard error how a comparison goes on."""
    print(f"{sentence}.", file=sys.stderr)  # noqa: T201
