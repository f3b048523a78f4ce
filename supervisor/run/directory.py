"""The run directory: who may write it, and where everything in it lies."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from contextlib import suppress
from itertools import count, islice, zip_longest
from pathlib import Path
from typing import Any

from shared.artifacts import ArtifactRef, ArtifactStore, write_artifact
from shared.config.load import Configuration
from shared.errors import ConfigurationError, RunTakenError
from shared.ids import TriggerId

# All that a supervisor leaves that was killed before its run began.
_BEFORE_A_RUN = {".lock", "pipeline.yaml", "config.yaml", "journal.jsonl", "run.log", "workers.log"}

# Sections of config.yaml that a run which was moved or copied may have changed.
_MAY_MOVE = {"artifacts", "broker"}

_LOOK_S = 0.5  # longer than anybody looks at a lock


class RunDirectory:
    """A run directory, locked by this process for as long as it lives."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = ArtifactStore(str(path))
        self._reserved: int | None = None
        self._made_for_reservation: list[Path] = []
        self._lock: int | None = None

    @classmethod
    def fresh(cls, parent: Path, name: str) -> RunDirectory:
        """One that no other supervisor makes meanwhile: of this name, or `name-2` …; it does not exist yet."""
        for number in count(1):
            directory = cls(parent / (name if number == 1 else f"{name}-{number}"))
            if directory._reserve():
                return directory
        raise AssertionError

    def _reserve(self) -> bool:
        """Keep the name for this process until `create` or `release`; whether nobody else has it."""
        parent = self.path.parent
        try:
            if self.path.exists():
                return False
            made = [folder for folder in (parent, *parent.parents) if not folder.exists()]
            parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._reservation, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError:  # whoever makes the directory will say what the matter is
            return True
        if _try_lock(file) and os.fstat(file).st_nlink and not self.path.exists():
            self._reserved, self._made_for_reservation = file, made
            return True
        os.close(file)
        return False

    @property
    def _reservation(self) -> Path:
        return self.path.with_name(f".{self.path.name}.reserved")

    def release(self) -> None:
        """Keep the name no longer; folders that were made for that go, too, if they are empty."""
        if self._reserved is None:
            return
        self._reservation.unlink(missing_ok=True)
        os.close(self._reserved)
        self._reserved = None
        with suppress(OSError):
            for folder in self._made_for_reservation:
                folder.rmdir()

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
        try:
            told = json.loads((self.path / "summary.json").read_bytes())
        except (OSError, ValueError):
            return False
        return (self.path / "evaluations.csv").exists() and told.get("status") == "finished"

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
        self.lock()
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
        self.lock()
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

        Where runs lie, and the broker, may differ: a run can be moved. A copy that is gone cannot differ; reopening
        writes it anew.
        """
        for name, now in _resolved(configuration):
            if not (self.path / name).exists():
                continue
            then = _settled((self.path / name).read_text(encoding="utf-8"))
            for old, new in zip_longest(then, _settled(now), fillvalue=""):
                if old != new:
                    raise ConfigurationError(
                        f"{name}: the run in {self.path} has `{old.strip()}`, the file now gives `{new.strip()}`; "
                        "resume with the files the run was started with, or start a new run."
                    )

    def lock(self) -> None:
        """Become the only supervisor on this directory; the kernel lets go when the process ends.

        Raises RunTakenError if there is one.
        """
        self._lock = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        give_up_s = time.monotonic() + _LOOK_S
        while not _try_lock(self._lock):
            if time.monotonic() < give_up_s:  # it may only be looked at, by `runs`
                time.sleep(0.01)
                continue
            pid, _, host = os.pread(self._lock, 512, 0).decode(errors="replace").partition(" ")
            raise RunTakenError(
                f"another supervisor, process {pid or '?'} on {host or 'an unknown host'}, is working on {self.path}; "
                f"stop it first with ./modyn-supervisor stop {self.path}."
            )
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()} {socket.gethostname()}".encode(), 0)

    def supervisor_pid(self) -> int | None:
        """The process that has the lock, None if nobody works here."""
        file = self.path / ".lock"
        if not file.exists():
            return None
        with file.open("r+") as lock:
            give_up_s = time.monotonic() + _LOOK_S
            while not _try_lock(lock.fileno()):
                lock.seek(0)
                pid = lock.read().partition(" ")[0]
                if pid or time.monotonic() > give_up_s:
                    return int(pid) if pid else None
                time.sleep(0.01)  # it is about to say who it is
        return None

    def workers_log(self) -> Path:
        """Where our workers write before the run has begun: on the same disk, so that it can be moved; then inside."""
        if self.holds_a_run:
            return self.path / "workers.log"
        nearest = next(one for one in self.path.parents if one.is_dir())
        return nearest / f".modyn-workers-{os.getpid()}.log"

    def write(self, name: str, text: str) -> None:
        """Write a file whole, or leave the old one."""
        write_artifact(str(self.path / name), text.encode())

    @staticmethod
    def training_set_name(trigger_id: TriggerId) -> str:
        """The committed training set of a trigger."""
        return f"training_sets/{trigger_id}.parquet"

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

    def commit_model(self, trigger_id: TriggerId, attempt: ArtifactRef, about: dict[str, Any]) -> None:
        """Give an attempt's model its final name, then write the model.json that makes it a model."""
        ref = self.store.commit(attempt, self.model_name(trigger_id))
        described = {"object": "model.safetensors", "sha256": ref.sha256, "size_bytes": ref.size_bytes, **about}
        self.write(f"models/{trigger_id}/model.json", json.dumps(described, indent=2, ensure_ascii=False) + "\n")


def _try_lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


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
