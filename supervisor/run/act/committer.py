"""Gives what workers wrote its final name in the run directory: only the supervisor commits."""

from __future__ import annotations

from contextlib import suppress

from shared.artifacts import ArtifactRef
from shared.config.pipeline import Pipeline
from supervisor.core.classes import classes_of
from supervisor.core.commands import CommitModel, CommitState, CommitTrainingSet, RetireModel, RetireState
from supervisor.core.state import RunState
from supervisor.run.act.cleanup import forget_attempts
from supervisor.run.directory import RunDirectory

Commit = CommitTrainingSet | CommitState | CommitModel
Retire = RetireModel | RetireState


class Committer:
    """Commits of one run. Doing one again changes nothing."""

    def __init__(self, pipeline: Pipeline, directory: RunDirectory) -> None:
        self._pipeline = pipeline
        self._directory = directory

    def commit(self, command: Commit, state: RunState) -> None:
        """Name the object. Raises ArtifactError if it is gone or not what was reported."""
        if isinstance(command, CommitTrainingSet):
            self._directory.commit_training_set(command.trigger_id, command.training_set)
            return
        if isinstance(command, CommitState):
            self._directory.commit_state(command.trigger_id, command.state)
            return
        fired, classes = state.trigger(command.trigger_id).fired, classes_of(state, command.trigger_id)
        about = {
            "trigger": command.trigger_id,
            "watermark": {"key": fired.key, "timestamp_us": fired.timestamp_us},
            "model": self._pipeline.model.id,
            "framework": self._pipeline.model.framework,
            "pipeline": self._pipeline.pipeline.name,
            **({} if classes is None else {"classes": classes}),
        }
        self._directory.commit_model(command.trigger_id, command.model, about)
        forget_attempts(self._directory.path, command.trigger_id)

    def retire(self, command: Retire) -> None:
        """Remove a model's weights, or what the strategy kept."""
        of_model = isinstance(command, RetireModel)
        name = self._directory.model_name if of_model else self._directory.state_name
        with suppress(OSError):  # else the next session's sweep removes it
            (self._directory.path / name(command.trigger_id)).unlink(missing_ok=True)

    def is_done(self, command: Commit) -> bool:
        """Whether the object stands under its final name; its size is looked at, not its hash."""
        store = self._directory.store
        if isinstance(command, CommitTrainingSet):
            return store.stands(_at(self._directory.training_set_name(command.trigger_id), command.training_set))
        if isinstance(command, CommitState):
            return store.stands(_at(self._directory.state_name(command.trigger_id), command.state))
        model = _at(self._directory.model_name(command.trigger_id), command.model)
        return self._directory.describes(command.trigger_id, command.model) and store.stands(model)


def _at(name: str, ref: ArtifactRef) -> ArtifactRef:
    return ArtifactRef(name=name, sha256=ref.sha256, size_bytes=ref.size_bytes)
