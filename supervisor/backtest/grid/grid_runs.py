"""The runs that train the models of a grid: what they are, and what of the pipeline they need not do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from shared.config.changes import Change
from shared.config.load import Configuration
from shared.config.yaml_source import yaml_line
from shared.errors import ConfigurationError
from supervisor.backtest.grid.policies_file import Policies, Series
from supervisor.sweep.combinations import folder_name
from supervisor.sweep.place import Wanted
from supervisor.sweep.planned import Planned
from supervisor.system.both_files import load_both


class WantedGrid(Wanted, frozen=True, kw_only=True):
    """What the grid of a back-test is of. The policies that are tried on it may be others each time."""

    noun: ClassVar[str] = "back-test"
    note: ClassVar[str] = "backtest.json"
    prefix: ClassVar[str] = "backtest-"

    every: str | int | None = None  # None: POLICIES.yaml is not read yet
    strategies: tuple[str, ...] = ()  # beside the pipeline's own, in YAML

    def of(self, policies: Policies) -> WantedGrid:
        """With what POLICIES.yaml says of the grid."""
        strategies = tuple(yaml_line(one.written) for one in policies.series if one.written is not None)
        return msgspec.structs.replace(self, every=policies.every, strategies=strategies)

    def refuse_other(self, now: WantedGrid, where: str) -> None:
        """Raise ConfigurationError if another grid is asked for now. `where`: file, line and key that say so."""
        if (now.every, now.strategies) != (self.every, self.strategies):
            raise ConfigurationError(
                f"{where}: {now.grid()} is not what this back-test began with, which is {self.grid()}; write that, or "
                "begin another back-test."
            )

    def grid(self) -> str:
        """As POLICIES.yaml has it."""
        of_strategies = f", strategies: [{', '.join(self.strategies)}]" if self.strategies else ""
        return f"{{every: {self.every}{of_strategies}}}"

    def words(self) -> str:
        """What was typed, and the grid."""
        return " ".join([*filter(None, [super().words()]), f"grid: {self.grid()}"])


def refuse_unkept(configuration: Configuration) -> None:
    """Raise ConfigurationError where weights of models are let go of that a back-test has to ask."""
    kept = configuration.system.retention.models
    if kept is not None:
        where = configuration.system_source.told("retention.models")
        raise ConfigurationError(
            f"{where}: keeps the newest {kept} models of a run, and a back-test asks all of its grid; remove it, in a "
            "config.yaml of its own if need be."
        )


def planned_grid(policies: Policies, files: tuple[Path, Path], changes: Sequence[Change]) -> list[Planned]:
    """A run for each strategy. `files`: pipeline and config; `changes`: as the command line makes them to the first."""
    runs = []
    for one in policies.series:
        settled = _changes(policies, one, changes)
        configuration = load_both(*files, settled, experiment_mode=True)
        runs.append(Planned(one.title, folder_name(one.title.replace(" ", ",")), settled, configuration))
    return runs


def _changes(policies: Policies, series: Series, changes: Sequence[Change]) -> tuple[Change, ...]:
    """A clock for a trigger, and no more measured than the composite: models and that are as they would be."""
    pipeline = policies.configuration.pipeline
    ours: dict[str, Any] = {"trigger": policies.clock, "evaluation": _evaluation(policies.configuration)}
    if series.written is not None:
        ours["strategy"] = series.written
    if pipeline.deployment is not None:
        ours["deployment"] = None
    kept = [one for one in changes if one.key.partition(".")[0] not in ours]
    return (*kept, *(Change(key, yaml_line(value)) for key, value in ours.items()))


def _evaluation(configuration: Configuration) -> dict[str, Any]:
    """Its window alone; metrics and device as they are written."""
    written, window = configuration.pipeline_source.written.get("evaluation") or {}, {}
    composite = configuration.pipeline.evaluation.prequential
    window = {"name": composite.name, "window": "until_next_trigger"}
    if composite.split is not None:
        window["split"] = composite.split
    return {**{key: written[key] for key in ("device", "metrics") if key in written}, "on": [window]}
