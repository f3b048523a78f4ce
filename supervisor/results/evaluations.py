"""evaluations.csv, sorted, floats as Python's repr, times of fixed width."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from shared.config.pipeline import Evaluation
from shared.messages.reports import MetricValue
from shared.timestamps import format_timestamp

COLUMNS = (
    *("trigger", "window", "slice", "split", "metric", "value", "n", "first_timestamp", "last_timestamp", "error"),
    "unlabelled",
)


ESTIMATED = "estimated"


def evaluations_csv(scores: Iterable[MetricValue], evaluation: Evaluation) -> str:
    """The file's text. The column of estimates stands there where scores are estimated."""
    estimates = evaluation.estimate is not None
    split_of = {window.name: window.split or "" for window in evaluation.on}
    rows = [
        (
            score.trigger_id,
            score.window,
            score.slice,
            split_of[score.window],
            score.metric,
            _number(score.value),
            str(score.n),
            _time(score.first_timestamp_us),
            _time(score.last_timestamp_us),
            score.error or "",
            str(score.unlabelled),
            *([_number(score.estimated)] if estimates else []),
        )
        for score in scores
    ]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*COLUMNS, ESTIMATED) if estimates else COLUMNS)
    writer.writerows(sorted(rows))
    return text.getvalue()


def _number(value: float | None) -> str:
    return "" if value is None else repr(value)


def _time(timestamp_us: int | None) -> str:
    return "" if timestamp_us is None else format_timestamp(timestamp_us)
