"""The end of a sweep: the comparison of what has finished, and what is not in it, with the reason."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from typing import Any

from shared.command import COMMAND
from shared.errors import ModynError
from shared.folder_names import readable
from supervisor.cli.compare import json_text, say
from supervisor.cli.console import table_console
from supervisor.compare.comparison import compare
from supervisor.compare.comparison_table import comparison_table
from supervisor.compare.plot import plot
from supervisor.sweep.outcome import Outcome
from supervisor.sweep.sweep import Sweep


def tell_end(sweep: Sweep, arguments: argparse.Namespace) -> int:
    """Compare, and tell what is left out and how to go on; 1 if a run failed. Raises ModynError."""
    finished = [one for one in sweep.outcomes.values() if one.status == "finished"]
    left_out = [one for one in sweep.outcomes.values() if one.status != "finished"]
    try:
        content: dict[str, Any] = {"runs": []}
        if finished:
            content = compare([one.run_dir for one in finished], sort=arguments.sort, progress=say)
        _print(content, left_out, as_json=arguments.json)
        if finished and arguments.plot is not None:  # last: where it cannot be written, scores are told all the same
            plot(content, arguments.plot)
    finally:
        for sentence in _rest(sweep, finished, left_out, arguments):
            print(sentence, file=sys.stderr if arguments.json else sys.stdout)
    return ModynError.exit_code if any(one.status == "failed" for one in left_out) else 0


def _print(content: dict[str, Any], left_out: Sequence[Outcome], *, as_json: bool) -> None:
    """The comparison; a table of no runs is none."""
    if as_json:
        told = [{"run": str(one.run_dir), "status": one.status, "reason": one.reason} for one in left_out]
        print(json_text({**content, "left_out": told}))  # noqa: T201
    elif content["runs"]:
        table_console().print(comparison_table(content))


def _rest(
    sweep: Sweep, finished: Sequence[Outcome], left_out: Sequence[Outcome], arguments: argparse.Namespace
) -> list[str]:
    """What is not in the table, and how the sweep can be taken up."""
    told = [] if finished else ["No run has finished with a score, so there is nothing to compare."]
    for one in left_out:
        log = f" ({sweep.place.log(one.name)})" if one.status == "failed" else ""
        told.append(f"left out: {readable(one.name)}: {one.reason}{log}")
    not_begun = len(sweep.unfinished)
    told += (
        [f"left out: {not_begun} {'run that has' if not_begun == 1 else 'runs that have'} not begun"]
        if not_begun
        else []
    )
    told.append(f"sweep: {sweep.place.path}")
    if not_begun or any(one.status in ("failed", "stopped") for one in left_out):
        words = (arguments.pipeline, arguments.config, "--run-dir", sweep.place.path, "--resume")
        told.append(f"go on with: {COMMAND} sweep {shlex.join(map(str, words))}")
    return told
