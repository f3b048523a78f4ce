"""What a comparison comes to, as plain values: `--json` prints it, and tables and plots are made of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.timestamps import format_timestamp
from supervisor.compare.common_rows import CommonRows
from supervisor.compare.measured import Measured, composites
from supervisor.compare.metrics import Shared
from supervisor.compare.ranges import keys_in
from supervisor.compare.run_dirs import names_of
from supervisor.compare.scored_run import ScoredRun

_BASELINES = ("majority", "no_change", "first_model")


def content_of(
    runs: Sequence[ScoredRun], windows: Sequence[Sequence[Measured]], metrics: Shared, common: CommonRows
) -> dict[str, Any]:
    """The content; `windows` of each run, on the rows that are compared."""
    names = names_of([run.path for run in runs])
    listed = [_run(run, name, own, metrics) for run, name, own in zip(runs, names, windows, strict=True)]
    every = [one for own in windows for one in own]
    return {
        "rows": min(sum(one.n for one in own) for own in windows),
        "first_timestamp": _moment(min((one.first_us for one in every if one.first_us is not None), default=None)),
        "last_timestamp": _moment(max((one.last_us for one in every if one.last_us is not None), default=None)),
        "sorted_by": metrics.sorted_by,
        "greater_is_better": metrics.greater_is_better,
        "task": metrics.task,
        "metrics": list(metrics.labels),
        "evaluated_anew": {
            "windows": len(common.cut),
            "rows": sum(keys_in(part.ranges) for _, part in common.cut),
        },
        "runs": sorted(listed, key=lambda run: _place(run["composite"][metrics.sorted_by], metrics)),
    }


def _place(value: float | None, metrics: Shared) -> tuple[bool, float]:
    """Best first; what has no value comes last."""
    return value is None, (-1 if metrics.greater_is_better else 1) * (value or 0.0)


def _run(run: ScoredRun, name: str, windows: Sequence[Measured], metrics: Shared) -> dict[str, Any]:
    found = {metric: composites(windows, metric) for metric in metrics.labels}
    return {
        "run": run.run,
        "name": name,
        "status": run.status,
        "composite": {metric: by["pipeline"].value for metric, by in found.items()},
        "baselines": {one: {metric: by[one].value for metric, by in found.items()} for one in _BASELINES},
        "rows": sum(one.n for one in windows),
        "rows_scored": run.scored.rows,
        "undefined_windows": {metric: by["pipeline"].undefined_windows for metric, by in found.items()},
        "triggers": run.triggers,
        "failed_triggers": run.failed_triggers,
        "samples_trained": run.samples_trained,
        "train_s": run.train_s,
        "select_s": run.select_s,
        "windows": [_window(one, metrics) for one in windows],
    }


def _window(window: Measured, metrics: Shared) -> dict[str, Any]:
    return {
        "trigger": window.trigger_id,
        "first_timestamp": _moment(window.first_us),
        "last_timestamp": _moment(window.last_us),
        "n": window.n,
        **{metric: window.value(metric) for metric in metrics.labels},
    }


def _moment(moment_us: int | None) -> str | None:
    return None if moment_us is None else format_timestamp(moment_us)
