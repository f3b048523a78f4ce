"""The work at hand: the task, the run's setup, and what its headers returned."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.claims import Attempt
from shared.dataset.manifest import read_manifest
from shared.dataset.table import TableDataset, open_dataset
from shared.messages import AnyTask, SetupRecord


@dataclass(frozen=True, kw_only=True)
class Work:
    """One attempt at one task."""

    task: AnyTask
    record: SetupRecord
    attempt: Attempt
    results: list[Any]

    @property
    def who(self) -> dict[str, Any]:
        """What every report of this attempt begins with."""
        return {"task_id": self.attempt.task_id, "attempt": self.attempt.number, "worker": self.attempt.worker}

    @property
    def attempt_name(self) -> str:
        """Unique among all attempts, so that no two write the same object."""
        return f"{self.attempt.number}-{self.attempt.worker[:8]}"

    def dataset(self) -> TableDataset:
        """The dataset as far as the manifest reaches now."""
        return open_dataset(self.record.dataset, read_manifest(Path(self.record.manifest_uri)))

    def uri(self, name: str) -> str:
        """Where an object of this run lies."""
        return f"{self.record.artifacts_uri}/{name}"

    def seed(self) -> int:
        """The pipeline's seed, made the trigger's own; the same on every machine."""
        text = f"{self.record.pipeline.training.seed}/{self.task.trigger_id}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
