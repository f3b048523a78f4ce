"""The metrics that runs have in common, and by which of them they are sorted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shared.config.pipeline import Metric
from shared.errors import ConfigurationError, NotReadyError
from shared.plugins import METRICS
from supervisor.compare.scored_run import ScoredRun


class Shared(NamedTuple):
    """Metrics, by their labels, in the order of the first run."""

    labels: tuple[str, ...]
    sorted_by: str
    greater_is_better: bool
    task: str  # classification | regression: what the runs' models do
    left_out: tuple[str, ...]  # sentences


def shared_metrics(runs: Sequence[ScoredRun], sort: str | None) -> Shared:
    """What all runs measure; `sort`: a label, None for the first.

    Raises NotReadyError where there is none, and ConfigurationError for a label that is none of them.
    """
    measured = [{metric.label: metric for metric in _metrics(run)} for run in runs]
    labels = tuple(label for label, metric in measured[0].items() if all(m.get(label) == metric for m in measured))
    if not labels:
        lists = "; ".join(f"{run.run}: {', '.join(m)}" for run, m in zip(runs, measured, strict=True))
        raise NotReadyError(f"the runs have no metric in common ({lists}); compare runs that measure the same.")
    by = sort or labels[0]
    if by not in labels:
        raise ConfigurationError(f"--sort {by}: is no metric that all runs have; these are {', '.join(labels)}.")
    kind = METRICS[measured[0][by].name]
    left_out = tuple(_left_out(runs, measured, labels))
    return Shared(labels, by, kind.greater_is_better, kind.task, left_out)


def _metrics(run: ScoredRun) -> tuple[Metric, ...]:
    return run.configuration.pipeline.evaluation.metrics


def _left_out(runs: Sequence[ScoredRun], measured: Sequence[dict[str, Metric]], labels: Sequence[str]) -> Iterator[str]:
    for label in dict.fromkeys(label for one in measured for label in one if label not in labels):
        lacking = [run.run for run, one in zip(runs, measured, strict=True) if label not in one]
        if lacking:
            named = lacking[0] if len(lacking) == 1 else f"{len(lacking)} runs, {lacking[0]} among them,"
            yield f"{label} is left out: {named} did not measure it"
        else:
            yield f"{label} is left out: it means something else in some of the runs"
