"""The folder of a sweep: `sweep.json` says what it is a sweep of, and beside it lie its runs and their logs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, TypeVar

import msgspec

from shared.artifacts import write_artifact
from shared.config.load import Configuration
from shared.errors import ConfigurationError
from supervisor.run.directory import RunDirectory
from supervisor.run.lock import Lock

W = TypeVar("W", bound="Wanted")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a sweep is of, as it was typed. Another command that has runs side by side derives its own from it."""

    noun: ClassVar[str] = "sweep"  # what people call it
    note: ClassVar[str] = "sweep.json"  # the file that says what it is of
    prefix: ClassVar[str] = "sweep-"  # of the name of its folder, if nobody names one

    set: tuple[str, ...]
    start_replay_at: str | None = None
    stop_replay_at: str | None = None
    maximum_triggers: int | None = None

    def options(self) -> list[str]:
        """Those of each run that begins."""
        given = (
            ("--start-replay-at", self.start_replay_at),
            ("--stop-replay-at", self.stop_replay_at),
            ("--maximum-triggers", self.maximum_triggers),
        )
        return [word for name, value in given if value is not None for word in (name, str(value))]

    def words(self) -> str:
        """What was typed, for people."""
        return " ".join([*(f"--set {one!r}" for one in self.set), *self.options()])

    def again(self: W, then: W) -> W:
        """The same, with what is left out as it was `then`. Raises ConfigurationError if what is given is not so."""
        for option, old, new in self._pairs(then):
            if new and old != new:
                raise ConfigurationError(
                    f"{option} is not what this {self.noun} began with ({then.words()}); leave it out, or begin "
                    f"another {self.noun}."
                )
        return then

    def _pairs(self: W, then: W) -> Sequence[tuple[str, object, object]]:
        """(option, as it was, as it is)."""
        return [
            ("--set", then.set, self.set),
            ("--start-replay-at", then.start_replay_at, self.start_replay_at),
            ("--stop-replay-at", then.stop_replay_at, self.stop_replay_at),
            ("--maximum-triggers", then.maximum_triggers, self.maximum_triggers),
        ]


class Place:
    """One folder; who sweeps there has its lock."""

    def __init__(self, directory: RunDirectory, kind: type[Wanted]) -> None:
        self._directory, self._kind = directory, kind
        self.path = directory.path

    @classmethod
    def at(cls, path: Path, kind: type[Wanted] = Wanted) -> Place:
        """The one that was named."""
        return cls(RunDirectory(path.resolve()), kind)

    @classmethod
    def fresh(cls, configuration: Configuration, kind: type[Wanted] = Wanted) -> Place:
        """One among a pipeline's runs, named by the time; its name is kept until `release`."""
        return cls(RunDirectory.fresh(configuration, prefix=kind.prefix), kind)

    def run(self, name: str) -> RunDirectory:
        """That of one run."""
        return RunDirectory(self.path / name)

    def log(self, name: str) -> Path:
        """What the supervisor of one run says."""
        return self.path / "logs" / f"{name}.log"

    def workers_log(self, *, is_made: bool) -> Path:
        """Where the fleet writes, before the folder is made and after."""
        return self.path / "workers.log" if is_made else self._directory.workers_log()

    def refuse_if_taken(self) -> None:
        """Raise ConfigurationError if no new sweep can begin here."""
        if (self.path / self._kind.note).exists():
            raise ConfigurationError(
                f"--run-dir {self.path} already holds a {self._kind.noun}; go on with it with --resume, or name "
                "another folder."
            )
        self._directory.refuse_if_taken()

    def create(self, wanted: Wanted) -> None:
        """Make it, take its lock and write down what is wanted. Raises ConfigurationError and RunTakenError."""
        self.refuse_if_taken()
        try:
            (self.path / "logs").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"--run-dir {self.path} cannot be made: {error.strerror}.") from None
        self.lock()
        self.release()
        text = json.dumps(msgspec.to_builtins(wanted), indent=2, ensure_ascii=False)
        write_artifact(str(self.path / wanted.note), f"{text}\n".encode())

    def lock(self) -> None:
        """Keep out a second sweep in this folder. Raises RunTakenError."""
        Lock(self.path).take()

    def release(self) -> None:
        """Keep the name of a folder that was not made no longer."""
        self._directory.release()

    def wanted(self, now: W) -> W:
        """What the sweep that is here is of. Raises ConfigurationError if there is none, or `now` says otherwise."""
        try:
            then = msgspec.json.decode((self.path / now.note).read_bytes(), type=type(now))
        except (OSError, msgspec.MsgspecError):
            raise ConfigurationError(
                f"--resume: {self.path} holds no {now.noun}; name a {now.noun}'s folder with --run-dir, or leave out "
                "--resume."
            ) from None
        return now.again(then)
