"""How a run of a sweep ended, and whether it takes part in the comparison."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from shared.words import counted
from supervisor.system.worker_process import how_it_ended

_ERROR = "error: "


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """`unscored`: finished, and there is no score to compare. `reason`: of all but a finished one."""

    name: str
    run_dir: Path
    status: Literal["finished", "unscored", "failed", "stopped"]
    reason: str = ""
    score: str = ""  # in words, of the first metric


def outcome(name: str, run_dir: Path, summary: Mapping[str, Any], code: int, said: str) -> Outcome:
    """What became of a run whose supervisor ended with `code` and `said` this; `summary` is empty if there is none."""
    if code == 0 and summary.get("status") == "finished":
        return of_finished(name, run_dir, summary)
    if code in (0, -signal.SIGTERM):
        return Outcome(name=name, run_dir=run_dir, status="stopped", reason="was stopped")
    return Outcome(name=name, run_dir=run_dir, status="failed", reason=_reason(summary, code, said))


def of_finished(name: str, run_dir: Path, summary: Mapping[str, Any]) -> Outcome:
    """What a finished run came to."""
    composite: Mapping[str, float | None] = summary.get("composite", {})
    scored = {metric: value for metric, value in composite.items() if value is not None}
    if not scored:
        fired = summary.get("triggers", 0)
        reason = "no window could be scored" if fired else "no trigger fired, so there was no model to score"
        return Outcome(name=name, run_dir=run_dir, status="unscored", reason=reason)
    metric, value = next(iter(scored.items()))
    rows = summary.get("composite_rows", {}).get("rows", 0)
    score = f"{metric} {value:.4f} on its {counted(rows, 'row')}"  # those that all runs have scored may be fewer
    return Outcome(name=name, run_dir=run_dir, status="finished", score=score)


def _reason(summary: Mapping[str, Any], code: int, said: str) -> str:
    """The last error that was said; else what the run's record says, or how the process ended."""
    errors = [line.removeprefix(_ERROR) for line in said.splitlines() if line.startswith(_ERROR)]
    if errors:
        return errors[-1]
    if summary.get("status") == "failed" and summary.get("reason"):
        return str(summary["reason"])
    return f"its supervisor ended with {how_it_ended(code)}"
