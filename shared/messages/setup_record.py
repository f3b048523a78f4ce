"""The setup record: what workers must know of a run before they take a task of it."""

from __future__ import annotations

from shared.config.pipeline import Pipeline, Target
from shared.config.system import Dataset
from shared.ids import RunId
from shared.messages.message import Body


class SetupRecord(Body, frozen=True, kw_only=True):
    """All that a worker needs to know of a run; the truth is in Redis, messages only name its version."""

    version: int
    run_id: RunId
    pipeline: Pipeline
    dataset: Dataset
    manifest_uri: str
    labels_uri: str | None = None  # of the index of labels, where they stand in a table of their own
    artifacts_uri: str  # where the run's training sets, models and checkpoints lie
    trusted_modules: tuple[str, ...]
    lease_s: float
    checkpoints_kept: int
    targets: tuple[Target, ...] = ()  # where models are deployed; a rehearsal's lie in its run directory
