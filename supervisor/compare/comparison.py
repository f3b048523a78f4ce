"""Runs side by side on the rows that all of them scored: `compare`, and the end of a sweep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from shared.errors import NotReadyError
from shared.timestamps import format_timestamp, to_the_minute
from supervisor.compare.common_rows import CommonRows, common_rows
from supervisor.compare.content import content_of
from supervisor.compare.cut_windows import first_model, score_cut
from supervisor.compare.measured import Measured
from supervisor.compare.metrics import shared_metrics
from supervisor.compare.one_dataset import refuse_other_datasets
from supervisor.compare.run_dirs import RunDir, runs_meant
from supervisor.compare.scored_run import ScoredRun, read_run


def compare(run_dirs: Sequence[Path], *, sort: str | None, progress: Callable[[str], None]) -> dict[str, Any]:
    """What `compare --json` prints; the best run by the metric `sort` (None: the first one) comes first.

    A folder of runs stands for those that lie right in it. `progress` is told sentences while it goes on: what is left
    out, and what is evaluated anew. Raises ConfigurationError for what was typed, NotReadyError for what cannot be
    compared.
    """
    runs = _scored([(one, read_run(one.typed)) for one in runs_meant(run_dirs)], progress)
    refuse_other_datasets(runs)
    metrics = shared_metrics(runs, sort)
    common = common_rows([run.windows for run in runs], [run.mask for run in runs])
    if not common.ranges:
        raise _nothing_in_common(runs)
    for sentence in metrics.left_out:
        progress(sentence)
    windows = _measured(runs, common, progress)
    if not all(any(one.n for one in own) for own in windows):
        raise _nothing_in_common(runs)
    return content_of(runs, windows, metrics, common)


def _scored(runs: Sequence[tuple[RunDir, ScoredRun]], progress: Callable[[str], None]) -> list[ScoredRun]:
    """Those that have scored something; one that has not is left out if it only lies in a folder that was named."""
    named = [run for place, run in runs if not run.windows and not place.found]
    if named or not any(run.windows for _, run in runs):
        empty = named or [run for _, run in runs]
        raise NotReadyError(
            *(f"{one.run} ({one.status}) has scored nothing yet, and cannot be compared." for one in empty)
        )
    for _, run in runs:
        if not run.windows:
            progress(f"{run.run} ({run.status}) is left out: it has scored nothing")
    return [run for _, run in runs if run.windows]


def _measured(runs: Sequence[ScoredRun], common: CommonRows, progress: Callable[[str], None]) -> list[list[Measured]]:
    """Of each run, the windows that have rows in common with all others."""
    anew = score_cut(runs, common, progress)
    found = []
    for number, (run, parts) in enumerate(zip(runs, common.parts, strict=True)):
        windows = [
            Measured.anew(anew[number, part.window.trigger_id], first_model(run))
            if part.cut
            else Measured.as_journaled(part.window)
            for part in parts
        ]
        found.append([one for one in windows if one.n])
    return found


def _nothing_in_common(runs: Sequence[ScoredRun]) -> NotReadyError:
    return NotReadyError("there is no row that all these runs have scored.", *map(_stretch, runs))


def _stretch(run: ScoredRun) -> str:
    """What a run scored, for people."""
    first, last = (
        "?" if moment is None else to_the_minute(format_timestamp(moment))
        for moment in (run.scored.first_us, run.scored.last_us)
    )
    first_key, last_key = run.windows[0].keys.first_key, run.windows[-1].keys.last_key
    split = "" if run.mask is None else f", of which the {run.mask.name} split"
    return f"{run.run} scored rows {first_key:,} to {last_key:,}{split} ({first} to {last})."
