"""A run as it is compared: the windows of its composite, and what it took to get there. Nothing of it is changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from shared.config.load import Configuration, load_configuration
from shared.dataset.manifest import ManifestEntry
from shared.errors import ConfigurationError, NotReadyError, RunFailedError
from shared.ids import TriggerId, parts_of
from shared.messages.reports import MetricValue
from shared.messages.rescore import KeyRange, Mask
from shared.messages.tasks import BaselineTask, EvaluateTask
from supervisor.core.commands import AnyCommand, Publish
from supervisor.core.state import RunState
from supervisor.core.trigger_state import Phase
from supervisor.results.tally import Stretch
from supervisor.run.directory import RunDirectory
from supervisor.run.told import Told, told_by

WHOSE = ("pipeline", "first_model", "majority", "no_change")

Scores = dict[str, dict[str, MetricValue]]  # whose → metric → score


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The rows that a model met while it was the newest, and what was scored on them: some metric has a value."""

    trigger_id: TriggerId
    keys: KeyRange
    scores: Scores
    history: dict[str, Any] | None  # of labels, that its baselines began with; None: with the first row, or not yet


class ScoredRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run, as far as it has come."""

    run: str  # as it was typed
    path: Path  # the run directory, absolute
    status: str  # finished | stopped | failed | running | killed
    configuration: Configuration
    state: RunState
    entries: tuple[ManifestEntry, ...]  # of the dataset
    label_entries: tuple[ManifestEntry, ...]  # of its table of labels
    code: dict[str, str] | None  # of the user's modules, as its last session found them
    windows: tuple[Window, ...]  # by trigger
    scored: Stretch  # all rows of these
    triggers: int
    failed_triggers: int
    samples_trained: int
    train_s: float
    select_s: float  # of selections whose report says it

    @property
    def mask(self) -> Mask | None:
        """Which rows of a window count; None: all."""
        pipeline = self.configuration.pipeline
        name = pipeline.evaluation.prequential.split
        return None if name is None else Mask(name=name, split=pipeline.data.split)


def read_run(typed: Path) -> ScoredRun:
    """Read the files and the journal of a run. Raises NotReadyError where they cannot be read."""
    directory = RunDirectory(typed.resolve())
    files = (directory.path / "pipeline.yaml", directory.path / "config.yaml")
    try:
        configuration = load_configuration(*files, experiment_mode=directory.was_experiment)
        asked = _Asked(configuration.pipeline.evaluation.prequential.name)
        told = told_by(configuration, directory.journal_path, asked.heed)
    except (ConfigurationError, RunFailedError) as error:
        raise NotReadyError(*(f"{typed} cannot be read: {sentence}" for sentence in error.problems)) from error
    except OSError as error:
        raise NotReadyError(f"{typed} cannot be read: {error.strerror}; check path and user.") from error
    fired = [one for one in told.state.triggers.values() if one.phase is not Phase.COALESCED]
    facts = [told.tally.facts[one.fired.id] for one in fired]
    failed = [one for one, told_of in zip(fired, facts, strict=True) if one.error or told_of.errors]
    return ScoredRun(
        run=str(typed),
        path=directory.path,
        status=_status(directory, told.state),
        configuration=configuration,
        state=told.state,
        entries=tuple(told.entries),
        label_entries=tuple(told.label_entries),
        code=told.code,
        windows=tuple(_windows(told, asked)),
        scored=told.tally.composite_rows(),
        triggers=len(fired),
        failed_triggers=len(failed),
        samples_trained=sum(one.samples_selected for one in facts),
        train_s=sum(one.train_s or 0.0 for one in facts),
        select_s=sum(one.select_s or 0.0 for one in facts),
    )


class _Asked:
    """What a run asked its workers about the windows of its composite."""

    def __init__(self, window: str) -> None:
        self._window = window
        self.keys: dict[TriggerId, KeyRange] = {}
        self.history: dict[TriggerId, dict[str, Any] | None] = {}

    def heed(self, command: AnyCommand) -> None:
        """Note the rows of a window, and what its baselines begin with."""
        if not isinstance(command, Publish):
            return
        task = command.task
        if isinstance(task, BaselineTask):
            self.history[task.trigger_id] = task.history
        elif isinstance(task, EvaluateTask) and parts_of(command.task_id).stage == "score":
            rows = next(one for one in task.stretches if one.window == self._window)
            self.keys[task.trigger_id] = KeyRange(first_key=rows.first_key, last_key=rows.last_key)


def _windows(told: Told, asked: _Asked) -> list[Window]:
    """Those that have a score, by trigger."""
    scores = told.tally.windows(told.state)
    return [
        Window(
            trigger_id=TriggerId(index),
            keys=asked.keys[TriggerId(index)],
            scores={whose: scores[whose][index] for whose in WHOSE},
            history=asked.history.get(TriggerId(index)),
        )
        for index, own in sorted(scores["pipeline"].items())
        if any(one.value is not None for one in own.values())
    ]


def _status(directory: RunDirectory, state: RunState) -> str:
    """How its last session ended, by its journal; or that somebody works on it."""
    try:
        if directory.lock.holder() is not None:
            return "running"
    except OSError:  # the lock may not be looked at by everybody
        pass
    return "killed" if state.status == "running" else state.status
