"""The run directory: which run it is, and where everything in it lies."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from itertools import count, islice, zip_longest
from pathlib import Path
from typing import Any

from shared.artifacts import ArtifactRef, ArtifactStore, write_artifact
from shared.config.load import Configuration
from shared.errors import ArtifactError, ConfigurationError
from shared.ids import RunId, TriggerId
from supervisor.run.lock import Holder, Lock
from supervisor.run.reservation import Reservation

# All that a supervisor leaves that was killed before its run began.
_BEFORE_A_RUN = {".lock", "pipeline.yaml", "config.yaml", "journal.jsonl", "run.log", "workers.log"}

# Sections of config.yaml that a run which was moved or copied may have changed.
_MAY_MOVE = {"artifacts", "broker", "metrics", "notification"}


class RunDirectory:
    """A run directory; who writes has its lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = ArtifactStore(str(path))
        self.lock = Lock(path)
        self._reservation = Reservation(path)

    @classmethod
    def fresh(cls, configuration: Configuration, prefix: str = "") -> RunDirectory:
        """One among the runs of a pipeline, named by the present time behind `prefix`; as `named`."""
        parent = Path(configuration.system.artifacts_root) / configuration.pipeline.pipeline.name
        return cls.named(parent, f"{prefix}{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}")

    @classmethod
    def named(cls, parent: Path, name: str) -> RunDirectory:
        """One that no other supervisor makes meanwhile: of this name, or `name-2` …; it does not exist yet."""
        for number in count(1):
            directory = cls(parent / (name if number == 1 else f"{name}-{number}"))
            if directory._reservation.take():
                return directory
        raise AssertionError

    def wait(self) -> None:
        """Let `runs` and `stop` find who waits for a run to begin here. Raises RunTakenError if somebody does."""
        self._reservation.sign()

    def waiting(self) -> Holder | None:
        """Who does. Raises OSError."""
        return self._reservation.waiting()

    def release(self) -> None:
        """Keep the name of a directory that was not made no longer."""
        self._reservation.release()

    @property
    def journal_path(self) -> Path:
        """The one truth of the run."""
        return self.path / "journal.jsonl"

    @property
    def holds_a_run(self) -> bool:
        """Whether a run has begun here: its first line is whole."""
        try:
            with self.journal_path.open("rb") as journal:
                return journal.readline().endswith(b"\n")
        except (FileNotFoundError, NotADirectoryError):
            return False

    @property
    def is_summed_up(self) -> bool:
        """Whether scores and summary are there, and those of the end: not of a session before the last."""
        return (self.path / "evaluations.csv").exists() and self.summary().get("status") == "finished"

    def summary(self) -> dict[str, Any]:
        """What summary.json says; nothing if it is not there, or of no use."""
        try:
            told = json.loads((self.path / "summary.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    @property
    def was_experiment(self) -> bool:
        """Whether the run that was started here replays what is recorded."""
        return b'"mode":"experiment"' in self._run_started

    @property
    def run_id(self) -> RunId | None:
        """Of the run that was started here; None if none has begun."""
        try:
            return RunId(json.loads(self._run_started)["run_id"])
        except (ValueError, KeyError, TypeError):  # no such line, or a damaged one, which whoever reads it all tells of
            return None

    @property
    def _run_started(self) -> bytes:
        """The line of the journal with which the run began, empty if it has not."""
        try:
            with self.journal_path.open("rb") as lines:
                whole = (line for line in islice(lines, 9) if line.endswith(b"\n"))
                return next((line for line in whole if b'"event":"run_started"' in line), b"")
        except OSError:
            return b""

    def refuse_if_taken(self) -> None:
        """Raise ConfigurationError if a new run cannot begin here; changes nothing."""
        try:
            if self.path.is_file():
                raise ConfigurationError(f"--run-dir {self.path} is a file; name a folder that is absent or empty.")
            if self.holds_a_run:
                raise ConfigurationError(
                    f"--run-dir {self.path} already holds a run; go on with it with --resume, or name another folder."
                )
            if self.path.is_dir() and not self._holds_at_most_a_beginning():
                raise ConfigurationError(f"--run-dir {self.path} is not empty; name a folder that is absent or empty.")
            nearest = next(one for one in (self.path, *self.path.parents) if one.exists())
        except OSError as error:
            raise ConfigurationError(f"--run-dir {self.path} cannot be used: {error.strerror}.") from None
        if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
            raise ConfigurationError(f"--run-dir {self.path} cannot be made: {nearest} is no folder to write in.")

    def _holds_at_most_a_beginning(self) -> bool:
        """Whether it is empty, or left by a supervisor that was killed before its run began; or a copy of that."""
        there = {file.name for file in self.path.iterdir()}
        return not there or (bool(there & {".lock", "journal.jsonl"}) and there <= _BEFORE_A_RUN)

    def create(self, configuration: Configuration) -> None:
        """Make the directory, lock it, and write both configurations as resolved.

        Raises ConfigurationError and RunTakenError.
        """
        self.refuse_if_taken()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"--run-dir {self.path} cannot be made: {error.strerror}.") from None
        self.lock.take()
        self.refuse_if_taken()  # a run may have begun, and ended, before it was locked
        self.release()
        for name in _BEFORE_A_RUN - {".lock", "run.log", "workers.log"}:  # of a run that was killed before it began
            (self.path / name).unlink(missing_ok=True)
        self._describe(configuration)

    def reopen(self, configuration: Configuration) -> None:
        """Lock the directory of a run that is to go on.

        Raises ConfigurationError if it is not one, or differs, and RunTakenError.
        """
        if not self.holds_a_run:
            raise ConfigurationError(
                f"--resume: {self.path} holds no run that has begun; name a run's folder with --run-dir, "
                "or leave out --resume."
            )
        self.lock.take()
        self.compare(configuration)
        self._describe(configuration)

    def _describe(self, configuration: Configuration) -> None:
        """Write both configurations as resolved, where they are not there already, or of before the run was moved."""
        for name, text in _resolved(configuration):
            file = self.path / name
            if not file.exists() or file.read_text(encoding="utf-8") != text:
                self.write(name, text)

    def compare(self, configuration: Configuration) -> None:
        """Raise ConfigurationError, naming the first difference, if the YAML files are not those of the run.

        Where runs lie, the broker, and where metrics are served may differ: a run can be moved. A copy that is gone
        cannot differ; reopening writes it anew.
        """
        for name, now in _resolved(configuration):
            if not (self.path / name).exists():
                continue
            then = _settled((self.path / name).read_text(encoding="utf-8"))
            if told := _difference(then, _settled(now)):
                raise ConfigurationError(
                    f"{name}: the run in {self.path} has {told}; "
                    "resume with the files the run was started with, or start a new run."
                )

    def workers_log(self) -> Path:
        """Where our workers write before the run has begun: on the same disk, so that it can be moved; then inside."""
        if self.holds_a_run:
            return self.path / "workers.log"
        nearest = next(one for one in self.path.parents if one.is_dir())
        return nearest / f".modyn-workers-{os.getpid()}.log"

    def write(self, name: str, text: str) -> None:
        """Write a file whole, or leave the old one. Raises ArtifactError, also where the directory has gone."""
        if not self.path.is_dir():
            raise ArtifactError(f"{self.path} is gone; bring it back, then --resume.")
        write_artifact(str(self.path / name), text.encode())

    @staticmethod
    def training_set_name(trigger_id: TriggerId) -> str:
        """The committed training set of a trigger."""
        return f"training_sets/{trigger_id}.parquet"

    @staticmethod
    def state_name(trigger_id: TriggerId) -> str:
        """What the strategy kept after a trigger's selection."""
        return f"selection_states/{trigger_id}.msgpack"

    @staticmethod
    def model_name(trigger_id: TriggerId) -> str:
        """The committed weights of a model."""
        return f"models/{trigger_id}/model.safetensors"

    def describes(self, trigger_id: TriggerId, model: ArtifactRef) -> bool:
        """Whether a model's model.json is there, whole, and about these weights."""
        try:
            described = json.loads((self.path / "models" / str(trigger_id) / "model.json").read_bytes())
        except (OSError, ValueError):
            return False
        return isinstance(described, dict) and described.get("sha256") == model.sha256

    def commit_training_set(self, trigger_id: TriggerId, attempt: ArtifactRef) -> None:
        """Give an attempt's training set its final name."""
        self.store.commit(attempt, self.training_set_name(trigger_id))

    def commit_state(self, trigger_id: TriggerId, attempt: ArtifactRef) -> None:
        """Give what an attempt's strategy keeps its final name."""
        self.store.commit(attempt, self.state_name(trigger_id))

    def commit_model(self, trigger_id: TriggerId, attempt: ArtifactRef, about: dict[str, Any]) -> None:
        """Give an attempt's model its final name, then write the model.json that makes it a model."""
        ref = self.store.commit(attempt, self.model_name(trigger_id))
        described = {"object": "model.safetensors", "sha256": ref.sha256, "size_bytes": ref.size_bytes, **about}
        self.write(f"models/{trigger_id}/model.json", json.dumps(described, indent=2, ensure_ascii=False) + "\n")


def _resolved(configuration: Configuration) -> tuple[tuple[str, str], ...]:
    """Names and texts of both files as the run keeps them."""
    return (
        ("pipeline.yaml", configuration.resolved_pipeline_yaml()),
        ("config.yaml", configuration.resolved_system_yaml()),
    )


def _settled(text: str) -> list[str]:
    """The lines of a resolved file that are the run's for ever."""
    section, lines = "", []
    for line in text.splitlines():
        section = section if line.startswith((" ", "-")) else line.split(":")[0]
        if section not in _MAY_MOVE:
            lines.append(line)
    return lines


def _difference(then: list[str], now: list[str]) -> str | None:
    """What the first lines that differ say, in a sentence's middle; None if all are equal.

    A line that only came or went is not set against the one that happens to stand at its place.
    """
    for old, new in zip_longest(then, now, fillvalue=""):
        if old == new:
            continue
        came, went = new not in then, old not in now
        if came and not went:
            return f"no `{new.strip()}`, which the file now gives"
        if went and not came:
            return f"`{old.strip()}`, which the file no longer gives"
        return f"`{old.strip()}`, the file now gives `{new.strip()}`"
    return None
