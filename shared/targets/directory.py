"""Target `directory`: decisions are numbered records, and whoever writes the next number has switched.

    <target>/decisions/00000007.json     the log: what was put here, by which run, why; never changed
    <target>/versions/<…>/model.safetensors    the object that a record names
    <target>/model.json                  what the target holds, for readers: the newest record, and how to load it

Several runs may share a target. A record is linked under the number after the one that its decision was judged
against, which fails if somebody else was first: that is the compare and swap, and no lock is held over anything. An
object is removed once nobody needs it: where another's record has the number, or where nothing can have named it.
model.json follows the records. Whoever writes it looks again, so that one who was stopped in between does no harm; and
whoever decides next brings it up to date, should the last have died in between. The objects of the newest two records
stay, so that a reader that opened the old model.json still finds its object. A target that is moved away meanwhile is
not begun anew by a record alone: only the object's folder is made with all that leads to it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from shared.config import fields as f
from shared.durable import sync, write
from shared.errors import ArtifactError, ArtifactLostError, NotReadyError
from shared.targets.decision_log import DecisionLog, decoded, write_beside
from shared.targets.fillable import cannot_be_filled
from shared.targets.target import Candidate, DeploymentTarget, Record, TargetOptions
from shared.timestamps import format_timestamp, now_us

_OBJECT = "model.safetensors"
NO_OPTIONS: Mapping[str, Any] = {}


class DirectoryTarget(DeploymentTarget):
    """A folder that holds the model which is used."""

    class Schema(TargetOptions):
        """Its options."""

        uri = f.Folder("where; relative to pipeline.yaml", required=True)

    def __init__(self, uri: str, options: Mapping[str, Any] = NO_OPTIONS) -> None:
        self._folder = Path(uri)
        self._log = DecisionLog(self._folder)

    def problem(self) -> str | None:
        """Why no model could be put here: something else's folder, or one that cannot be written."""
        places = [self._folder, self._folder / "versions", self._folder / "decisions"]
        told = next((one for one in map(cannot_be_filled, places) if one is not None), None)
        try:
            if told is None and self.held() is None:
                self._refuse_foreign()
        except (NotReadyError, ArtifactError, OSError) as error:
            return str(error)
        return told

    def held(self) -> Record | None:
        """What the target holds, None if nothing. Raises NotReadyError for a folder that is something else's."""
        with self._reading():
            shown = self._shown()
            number = self._log.newest_number() if shown is None else shown.decision
            held = shown if shown is not None or number == 0 else self._log.read(number)
            while (newer := self._log.read(number + 1)) is not None:
                number, held = number + 1, newer
        return held

    def since(self, decision: int) -> Iterator[Record]:
        """The records after this decision, the newest first."""
        held = self.held()
        for number in range(held.decision if held else 0, decision, -1):
            with self._reading():
                record = self._log.read(number)
            if record is not None:
                yield record

    def body(self, record: Record) -> bytes:
        """The bytes of a model that the target holds or held. Raises ArtifactLostError if they are not what was put."""
        path = self._folder / record.object
        remedy = "Bring it back, or remove the target's folder, which then takes the next model"
        try:
            body = path.read_bytes()
        except OSError as error:
            raise ArtifactLostError(f"{path} cannot be read: {error}. {remedy}.") from error
        if hashlib.sha256(body).hexdigest() != record.sha256:
            raise ArtifactLostError(f"{path} is not what was put there. {remedy}.")
        return body

    def switch(self, candidate: Candidate, held: Record | None, reason: str) -> Record | None:
        """Put the candidate in the place of what was `held` when it was judged; None if that is no longer so.

        Killed at any point it leaves the old model or the new one. Raises NotReadyError for a folder that is something
        else's.
        """
        record = _record_of(candidate, held, reason)
        with self._writing():
            if held is None:
                self._refuse_foreign()
            if self.held() != held or not self._take_place(record, candidate.body):
                return None
            if not self._has_object(record):  # the folder was changed in between
                self._put(record, candidate.body)
        self.show()
        with self._reading():
            self._refuse_half(record)
        return record

    def show(self) -> None:
        """Bring model.json up to date, and remove what no reader can need any more."""
        with self._writing():
            shown, held = self._shown(), self.held()
            while held is not None and (shown is None or shown.decision != held.decision):
                self._log.sync()
                temporary = self._folder / f".model.json.{uuid.uuid4().hex}.tmp"
                write_beside(temporary, self._describe(held))
                temporary.replace(self._folder / "model.json")
                sync(self._folder)
                sync(self._folder.parent)
                shown, held = self._shown(), self.held()  # somebody may have switched, or shown what was, meanwhile
        if held is not None:
            with contextlib.suppress(OSError):  # what stays goes with the next decision
                self._sweep(held)

    def _take_place(self, record: Record, body: bytes) -> bool:
        """Give the record its number; False if another's stands there. Raises OSError if that cannot be told."""
        try:
            self._put(record, body)
            proposed = self._log.propose(record)
        except OSError:
            if self._log.holds_another(record):
                return False  # whoever wrote that has swept this version away
            self._remove(record)  # nothing can name it yet
            raise
        self._log.link(proposed, record.decision)
        if self._log.holds_another(record):
            self._remove(record)
            return False
        return True

    def _put(self, record: Record, body: bytes) -> None:
        """Write the object that the record names."""
        write(self._folder / record.object, body)
        sync(self._folder / "versions")

    def _has_object(self, record: Record) -> bool:
        try:
            return (self._folder / record.object).stat().st_size == record.size_bytes
        except (FileNotFoundError, NotADirectoryError):
            return False

    def _remove(self, record: Record) -> None:
        shutil.rmtree((self._folder / record.object).parent, ignore_errors=True)

    def _refuse_half(self, record: Record) -> None:
        """Raise ArtifactError unless record, model.json and, while it is the one held, the object stand."""
        held = self.held()
        replaced = held is not None and held.object != record.object
        if self._log.holds(record) and self._shown() is not None and (replaced or self._has_object(record)):
            return
        raise ArtifactError(
            f"{self._folder} was removed or replaced while model {record.trigger} was put there. See that nobody else "
            "does that, then --resume: it decides anew."
        )

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ArtifactError(f"{self._folder} cannot be read: {error}. Mend the folder, then --resume.") from error

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ArtifactError(
                f"{self._folder} cannot be written: {error}. Make room or mend the folder, then --resume."
            ) from error

    def _shown(self) -> Record | None:
        """What model.json says."""
        try:
            body = (self._folder / "model.json").read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return decoded(body, self._folder / "model.json")

    def _describe(self, record: Record) -> bytes:
        told: dict[str, Any] = msgspec.to_builtins(record)
        load = f"from workers.inference import load_model; model = load_model({str(self._folder)!r})"
        return (json.dumps({**told, "load": load}, indent=2, ensure_ascii=False) + "\n").encode()

    def _refuse_foreign(self) -> None:
        """Raise NotReadyError for a folder without model.json that is not ours to fill."""
        if self._folder.exists() and not self._folder.is_dir():
            raise NotReadyError(f"{self._folder} is a file; name an empty folder as deployment target.")
        there = {path.name for path in self._folder.iterdir()} if self._folder.exists() else set()
        others = [name for name in there - {"versions", "decisions", ".lock", "model.json"} if not _is_ours(name)]
        if others and "model.json" not in there:
            raise NotReadyError(
                f"{self._folder} holds other files and no model.json; name an empty folder as deployment target."
            )

    def _sweep(self, held: Record) -> None:
        """Remove the objects of older decisions, and of those that lost the race for a number that is taken."""
        before = self._log.read(held.decision - 1)
        kept = {Path(one.object).parent.name for one in (held, before) if one is not None}
        for version in (self._folder / "versions").iterdir():
            number = version.name.partition("-")[0]
            if version.name not in kept and number.isdecimal() and int(number) < held.decision:
                shutil.rmtree(version, ignore_errors=True)


def _is_ours(name: str) -> bool:
    """Whether a first deployment that was killed left this."""
    return name.startswith(".model.json.") and name.endswith(".tmp")


def _record_of(candidate: Candidate, held: Record | None, reason: str) -> Record:
    """The decision that puts a candidate in the place of what is held."""
    number = held.decision if held else 0
    version = f"{number}-{candidate.run}-{candidate.trigger}-{candidate.attempt}"
    return Record(
        decision=number + 1,
        run=candidate.run,
        trigger=candidate.trigger,
        object=f"versions/{version}/{_OBJECT}",
        sha256=hashlib.sha256(candidate.body).hexdigest(),
        size_bytes=len(candidate.body),
        pipeline=candidate.pipeline,
        model=candidate.model,
        reason=reason,
        replaced=held.decision if held else None,
        deployed_at=format_timestamp(now_us()),
        classes=msgspec.UNSET if candidate.classes is None else candidate.classes,
    )
