"""The runs of a sweep before anything is started: the configuration of each, all checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from shared.config.changes import Change
from shared.config.load import Configuration
from shared.errors import ConfigurationError
from shared.words import listed
from supervisor.sweep.combinations import Combination
from supervisor.system.both_files import load_both


class Planned(NamedTuple):
    """One run."""

    title: str
    name: str  # of its folder
    changes: tuple[Change, ...]  # to the pipeline.yaml of all
    configuration: Configuration  # with these


def planned(pipeline: Path, config: Path, combinations: Sequence[Combination]) -> list[Planned]:
    """Read and check both files with the settings of each combination.

    Raises ConfigurationError with all that is wrong, each sentence with a combination that it is of.
    """
    found: list[Planned] = []
    wrong: dict[str, list[Combination]] = {}
    for one in combinations:
        try:
            configuration = load_both(pipeline, config, one.changes, experiment_mode=True)
            found.append(Planned(one.title, one.name, one.changes, configuration))
        except ConfigurationError as error:
            for sentence in dict.fromkeys(error.problems):
                wrong.setdefault(sentence, []).append(one)
    if wrong:
        raise ConfigurationError(*(_placed(sentence, of, len(combinations)) for sentence, of in wrong.items()))
    _refuse_alike(found)
    _refuse_other_datasets(found)
    return found


def refuse_unmeasured(runs: Sequence[Planned], metric: str | None) -> None:
    """Raise ConfigurationError if the runs measure nothing in common, or not all of them the metric to sort by."""
    common: list[str] = _measured(runs[0])
    for run in runs:
        measured = _measured(run)
        common = [one for one in common if one in measured]
        if metric is not None and metric not in measured:
            told = f"--sort {metric}: {run.title} does not measure it, but {', '.join(measured)}"
            raise ConfigurationError(f"{told}; name one of these, or add it to evaluation.metrics.")
    if not common:
        raise ConfigurationError("evaluation.metrics: the runs have none in common, so they cannot be compared.")


def _measured(run: Planned) -> list[str]:
    return [one.label for one in run.configuration.pipeline.evaluation.metrics]


def _placed(sentence: str, of: Sequence[Combination], among: int) -> str:
    if len(of) == among:
        return sentence
    others = "" if len(of) == 1 else f" and {len(of) - 1} more"
    return f"{sentence} ({of[0].title}{others})"


def _refuse_alike(runs: Sequence[Planned]) -> None:
    """Two runs that mean the same would do the same work; two of one name would lie in one folder."""
    meanings: dict[str, Planned] = {}
    names: dict[str, Planned] = {}
    for run in runs:
        meaning = run.configuration.resolved_pipeline_yaml()
        other = meanings.setdefault(meaning, run)
        if other is not run:
            raise ConfigurationError(f"{other.title} and {run.title} mean the same; leave one of them out.")
        other = names.setdefault(run.name, run)
        if other is not run:
            raise ConfigurationError(f"{other.title} and {run.title} would lie in one folder; leave one out.")


def _refuse_other_datasets(runs: Sequence[Planned]) -> None:
    datasets = {one.configuration.pipeline.data.dataset for one in runs}
    if len(datasets) > 1:
        raise ConfigurationError(
            f"--set data.dataset: runs on {listed(sorted(datasets))} cannot be compared; make a sweep of each."
        )
