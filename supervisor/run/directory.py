"""The run directory: who may write it, and where everything in it lies (design §8)."""

from __future__ import annotations

import fcntl
import json
import os
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from shared.artifacts import ArtifactRef, commit_artifact, write_artifact
from shared.config.load import Configuration
from shared.errors import ConfigurationError
from shared.ids import TriggerId


class RunDirectory:
    """A run directory, locked by this process for as long as it lives."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    @property
    def journal_path(self) -> Path:
        """The one truth of the run."""
        return self.path / "journal.jsonl"

    @property
    def holds_a_run(self) -> bool:
        """Whether a run was started here."""
        return self.journal_path.exists() and self.journal_path.stat().st_size > 0

    @property
    def is_summed_up(self) -> bool:
        """Whether scores and summary are there."""
        return all((self.path / name).exists() for name in ("evaluations.csv", "summary.json"))

    @property
    def was_experiment(self) -> bool:
        """Whether the run that was started here replays what is recorded."""
        try:
            with self.journal_path.open("rb") as lines:
                return any(
                    b'"event":"run_started"' in line and b'"mode":"experiment"' in line for line in islice(lines, 9)
                )
        except OSError:
            return False

    def refuse_if_taken(self) -> None:
        """Raise ConfigurationError if a new run cannot begin here; changes nothing."""
        try:
            if self.path.is_file():
                raise ConfigurationError(f"--run-dir {self.path} is a file; name a folder that is absent or empty.")
            if self.holds_a_run:
                raise ConfigurationError(
                    f"--run-dir {self.path} already holds a run; go on with it with --resume, or name another folder."
                )
            if self.path.is_dir() and any(self.path.iterdir()):
                raise ConfigurationError(f"--run-dir {self.path} is not empty; name a folder that is absent or empty.")
            nearest = next(one for one in (self.path, *self.path.parents) if one.exists())
        except OSError as error:
            raise ConfigurationError(f"--run-dir {self.path} cannot be used: {error.strerror}.") from None
        if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
            raise ConfigurationError(f"--run-dir {self.path} cannot be made: {nearest} is no folder to write in.")

    def create(self, configuration: Configuration) -> None:
        """Make the directory, lock it, and write both configurations as resolved. Raises ConfigurationError."""
        self.refuse_if_taken()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"--run-dir {self.path} cannot be made: {error.strerror}.") from None
        self.lock()
        self._describe(configuration)

    def reopen(self, configuration: Configuration) -> None:
        """Lock the directory of a run that is to go on. Raises ConfigurationError if it is not one, or differs."""
        if not self.holds_a_run:
            raise ConfigurationError(f"--resume: {self.path} holds no run; name its folder with --run-dir.")
        self.lock()
        self.compare(configuration)
        self._describe(configuration)

    def _describe(self, configuration: Configuration) -> None:
        """Write both configurations as resolved, where they are not there already."""
        for name, text in _resolved(configuration):
            if not (self.path / name).exists():
                self.write(name, text)

    def compare(self, configuration: Configuration) -> None:
        """Raise ConfigurationError, naming the first difference, if the YAML files are not those of the run.

        A copy that is gone cannot differ; reopening writes it anew.
        """
        for name, now in _resolved(configuration):
            if not (self.path / name).exists():
                continue
            then = (self.path / name).read_text(encoding="utf-8").splitlines()
            for old, new in zip_longest(then, now.splitlines(), fillvalue=""):
                if old != new:
                    raise ConfigurationError(
                        f"{name}: the run in {self.path} has `{old.strip()}`, the file now gives `{new.strip()}`; "
                        "resume with the files the run was started with, or start a new run."
                    )

    def lock(self) -> None:
        """Become the only supervisor on this directory; the kernel lets go when the process ends."""
        self._lock = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(
                f"another supervisor is working on {self.path}; stop it first with ./modyn-supervisor stop {self.path}."
            ) from None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, str(os.getpid()).encode(), 0)

    def supervisor_pid(self) -> int | None:
        """The process that has the lock, None if nobody works here."""
        file = self.path / ".lock"
        if not file.exists():
            return None
        with file.open("r+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(lock.read())
        return None

    def write(self, name: str, text: str) -> None:
        """Write a file whole, or leave the old one."""
        write_artifact(str(self.path / name), text.encode())

    def training_set_uri(self, trigger_id: TriggerId) -> str:
        """The committed training set of a trigger."""
        return f"{self.path}/training_sets/{trigger_id}.parquet"

    def model_uri(self, trigger_id: TriggerId) -> str:
        """The committed weights of a model."""
        return f"{self.path}/models/{trigger_id}/model.safetensors"

    def describes(self, trigger_id: TriggerId) -> bool:
        """Whether a model's model.json is there."""
        return (self.path / "models" / str(trigger_id) / "model.json").exists()

    def commit_training_set(self, trigger_id: TriggerId, attempt: ArtifactRef) -> None:
        """Give an attempt's training set its final name."""
        commit_artifact(attempt, self.training_set_uri(trigger_id))

    def commit_model(self, trigger_id: TriggerId, attempt: ArtifactRef, about: dict[str, Any]) -> None:
        """Give an attempt's model its final name, then write the model.json that makes it a model."""
        ref = commit_artifact(attempt, self.model_uri(trigger_id))
        described = {"object": "model.safetensors", "sha256": ref.sha256, "size_bytes": ref.size_bytes, **about}
        self.write(f"models/{trigger_id}/model.json", json.dumps(described, indent=2, ensure_ascii=False) + "\n")


def _resolved(configuration: Configuration) -> tuple[tuple[str, str], ...]:
    """Names and texts of both files as the run keeps them."""
    return (
        ("pipeline.yaml", configuration.resolved_pipeline_yaml()),
        ("config.yaml", configuration.resolved_system_yaml()),
    )
