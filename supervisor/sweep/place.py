"""The folder of a sweep: `sweep.json` says what it is a sweep of, and beside it lie its runs and their logs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec

from shared.artifacts import write_artifact
from shared.config.load import Configuration
from shared.errors import ConfigurationError
from supervisor.run.directory import RunDirectory
from supervisor.run.lock import Lock

_NOTE = "sweep.json"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a sweep is of, as it was typed."""

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


class Place:
    """One folder; who sweeps there has its lock."""

    def __init__(self, directory: RunDirectory) -> None:
        self._directory = directory
        self.path = directory.path

    @classmethod
    def at(cls, path: Path) -> Place:
        """The one that was named."""
        return cls(RunDirectory(path.resolve()))

    @classmethod
    def fresh(cls, configuration: Configuration) -> Place:
        """One among a pipeline's runs, named by the time; its name is kept until `release`."""
        return cls(RunDirectory.fresh(configuration, prefix="sweep-"))

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
        if (self.path / _NOTE).exists():
            raise ConfigurationError(
                f"--run-dir {self.path} already holds a sweep; go on with it with --resume, or name another folder."
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
        write_artifact(str(self.path / _NOTE), f"{text}\n".encode())

    def lock(self) -> None:
        """Keep out a second sweep in this folder. Raises RunTakenError."""
        Lock(self.path).take()

    def release(self) -> None:
        """Keep the name of a folder that was not made no longer."""
        self._directory.release()

    def wanted(self, now: Wanted) -> Wanted:
        """What the sweep that is here is of. Raises ConfigurationError if there is none, or `now` says otherwise."""
        try:
            then = msgspec.json.decode((self.path / _NOTE).read_bytes(), type=Wanted)
        except (OSError, msgspec.MsgspecError):
            raise ConfigurationError(
                f"--resume: {self.path} holds no sweep; name a sweep's folder with --run-dir, or leave out --resume."
            ) from None
        _refuse_other(then, now)
        return then


def _refuse_other(then: Wanted, now: Wanted) -> None:
    """What is given again has to say the same; what is left out is as it was."""
    pairs: Sequence[tuple[str, object, object]] = [
        ("--set", then.set, now.set or then.set),
        ("--start-replay-at", then.start_replay_at, now.start_replay_at or then.start_replay_at),
        ("--stop-replay-at", then.stop_replay_at, now.stop_replay_at or then.stop_replay_at),
        ("--maximum-triggers", then.maximum_triggers, now.maximum_triggers or then.maximum_triggers),
    ]
    named = next((option for option, old, new in pairs if old != new), None)
    if named is not None:
        raise ConfigurationError(
            f"{named} is not what this sweep began with ({' '.join(f'--set {one!r}' for one in then.set)}"
            f"{''.join(f' {word}' for word in then.options())}); leave it out, or begin another sweep."
        )
