"""Lines on scores that are estimated, as their labels are waited for."""

from __future__ import annotations

from shared.ids import parts_of
from shared.messages.reports import Estimated, Evaluated


def estimated(report: Evaluated) -> list[str]:
    """A line for each window."""
    return [_line(report, one) for one in report.estimates]


def _line(report: Evaluated, one: Estimated) -> str:
    scores = [score for score in report.scores if score.estimated is not None and score.window == one.window]
    told = ", ".join(f"{score.metric} {score.estimated:.4f}" for score in scores)
    told = f"{told} estimated on {one.rows:,} rows" if told else f"nothing is estimated, as {one.error}"
    return f"← model {parts_of(report.task_id).trigger_id} on {one.window}: {told}; labels are waited for"
