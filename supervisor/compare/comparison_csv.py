"""A comparison as CSV: a line a run, or a line for each window of each run. Floats as Python's repr."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_FACTS = ("run", "name", "status")
_COUNTS = ("rows_scored", "triggers", "failed_triggers", "samples_trained", "train_s")
_BASELINES = ("majority", "no_change", "first_model")
_LATER = ("select_s",)  # columns that came later stand behind, so that no other moves
_OF_A_WINDOW = ("trigger", "first_timestamp", "last_timestamp", "n")


def runs_csv(content: Mapping[str, Any]) -> str:
    """A line a run, best first. Behind what is said of the run: each metric, and of each the baselines."""
    metrics = content["metrics"]
    columns = [
        *(*_FACTS, "rows", *_COUNTS),
        *(f"undefined_{metric}" for metric in metrics),
        *metrics,
        *(f"{baseline}_{metric}" for baseline in _BASELINES for metric in metrics),
        *_LATER,
    ]
    lines = (
        [
            *(run[column] for column in (*_FACTS, "rows", *_COUNTS)),
            *(run["undefined_windows"][metric] for metric in metrics),
            *(run["composite"][metric] for metric in metrics),
            *(run["baselines"][baseline][metric] for baseline in _BASELINES for metric in metrics),
            *(run[column] for column in _LATER),
        ]
        for run in content["runs"]
    )
    return _text(columns, lines)


def windows_csv(content: Mapping[str, Any]) -> str:
    """A line for each window of each run, on the rows that are compared: the score of a run over time."""
    columns = [*_OF_A_WINDOW, *content["metrics"]]
    lines = (
        [run["run"], run["name"], *(window[column] for column in columns)]
        for run in content["runs"]
        for window in run["windows"]
    )
    return _text(["run", "name", *columns], lines)


def _text(columns: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(lines)  # what is None is empty
    return text.getvalue()
