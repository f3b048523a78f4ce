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


def evaluations_csv(scores: Iterable[MetricValue], evaluation: Evaluation) -> str:
    """The file's text."""
    split_of = {window.name: window.split or "" for window in evaluation.on}
    rows = [
        (
            score.trigger_id,
            score.window,
            score.slice,
            split_of[score.window],
            score.metric,
            "" if score.value is None else repr(score.value),
            str(score.n),
            _time(score.first_timestamp_us),
            _time(score.last_timestamp_us),
            score.error or "",
            str(score.unlabelled),
        )
        for score in scores
    ]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(sorted(rows))
    return text.getvalue()


def _time(timestamp_us: int | None) -> str:
    return "" if timestamp_us is None else format_timestamp(timestamp_us)
