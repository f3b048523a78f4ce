"""Target `directory`: decisions are numbered records, and whoever writes the next number has switched.

    <target>/decisions/00000007.json     the log: what was put here, by which run, why; never changed
    <target>/versions/<…>/model.safetensors    the object that a record names
    <target>/model.json                  what the target holds, for readers: the newest record, and how to load it

Several runs may share a target. A record is linked under the number after the one that its decision was judged
against, which fails if somebody else was first: that is the compare and swap, and no lock is held over anything.
model.json follows the records. Whoever writes it looks again, so that one who was stopped in between does no harm; and
whoever decides next brings it up to date, should the last have died in between. The objects of the newest two records
stay, so that a reader that opened the old model.json still finds its object.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from shared.config import fields as f
from shared.durable import sync, write
from shared.errors import ArtifactError, ArtifactLostError, NotReadyError
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

    def held(self) -> Record | None:
        """What the target holds, None if nothing. Raises NotReadyError for a folder that is something else's."""
        try:
            shown = self._shown()
            number = self._newest_number() if shown is None else shown.decision
            held = shown if shown is not None or number == 0 else self._record(number)
            while (newer := self._record(number + 1)) is not None:
                number, held = number + 1, newer
        except OSError as error:
            raise ArtifactError(f"{self._folder} cannot be read: {error}. Mend the folder, then --resume.") from error
        return held

    def since(self, decision: int) -> Iterator[Record]:
        """The records after this decision, the newest first."""
        held = self.held()
        for number in range(held.decision if held else 0, decision, -1):
            record = self._record(number)
            if record is not None:
                yield record

    def body(self, record: Record) -> bytes:
        """The bytes of a model that the target holds or held. Raises ArtifactLostError if they are not what was put."""
        try:
            body = (self._folder / record.object).read_bytes()
        except OSError as error:
            raise ArtifactLostError(f"{self._folder / record.object} cannot be read: {error}.") from error
        if hashlib.sha256(body).hexdigest() != record.sha256:
            raise ArtifactLostError(f"{self._folder / record.object} is not what was put there.")
        return body

    def switch(self, candidate: Candidate, held: Record | None, reason: str) -> Record | None:
        """Put the candidate in the place of what was `held` when it was judged; None if that is no longer so.

        Killed at any point it leaves the old model or the new one. Raises NotReadyError for a folder that is something
        else's.
        """
        number = held.decision if held else 0
        version = f"{number}-{candidate.run}-{candidate.trigger}-{candidate.attempt}"
        record = Record(
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
        )
        if held is None:
            self._refuse_foreign()
        try:
            write(self._folder / record.object, candidate.body)
            sync(self._folder / "versions")
            switched = self._append(record)
        except OSError as error:
            shutil.rmtree(self._folder / "versions" / version, ignore_errors=True)
            if self._record(record.decision) is None:
                raise self._unwritable(error) from error
            switched = False  # somebody was first, and has swept this version away
        if not switched:
            shutil.rmtree(self._folder / "versions" / version, ignore_errors=True)
            return None
        self.show()
        return record

    def show(self) -> None:
        """Bring model.json up to date, and remove what no reader can need any more."""
        try:
            shown, held = self._shown(), self.held()
            while held is not None and (shown is None or shown.decision != held.decision):
                temporary = self._folder / f".model.json.{uuid.uuid4().hex}.tmp"
                write(temporary, self._describe(held))
                temporary.replace(self._folder / "model.json")
                sync(self._folder)
                sync(self._folder.parent)
                shown, held = held, self.held()  # somebody may have switched meanwhile, and shown that before
            if held is not None:
                self._sweep(held)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> ArtifactError:
        return ArtifactError(f"{self._folder} cannot be written: {error}. Make room or mend the folder, then --resume.")

    def _append(self, record: Record) -> bool:
        """Give the record its number, unless somebody else has; whole and lasting, or not at all."""
        name = self._folder / "decisions" / f"{record.decision:08d}.json"
        temporary = name.with_name(f".{uuid.uuid4().hex}.tmp")
        write(temporary, msgspec.json.format(msgspec.json.encode(record)) + b"\n")
        try:
            os.link(temporary, name)
        except FileExistsError:
            return False
        finally:
            temporary.unlink(missing_ok=True)
        sync(name.parent)
        sync(self._folder)
        return True

    def _record(self, number: int) -> Record | None:
        try:
            body = (self._folder / "decisions" / f"{number:08d}.json").read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return self._decoded(body, f"decisions/{number:08d}.json")

    def _newest_number(self) -> int:
        """Of all records; 0 if there are none. Only where model.json is not there to say where to begin."""
        names = (self._folder / "decisions").glob("[0-9]*.json")
        return max((int(one.stem) for one in names if one.stem.isdecimal()), default=0)

    def _shown(self) -> Record | None:
        """What model.json says."""
        try:
            body = (self._folder / "model.json").read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return self._decoded(body, "model.json")

    def _decoded(self, body: bytes, name: str) -> Record:
        try:
            said = msgspec.json.decode(body)
            if isinstance(said, dict) and isinstance(said.get("decision"), dict):  # by a version that kept no records
                said |= {"decision": 0, "replaced": None}
            return msgspec.convert(said, Record)
        except msgspec.MsgspecError as error:
            raise NotReadyError(
                f"{self._folder}/{name} was not written by a deployment ({error}); "
                "name an empty folder as deployment target."
            ) from error

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
        before = self._record(held.decision - 1)
        kept = {Path(one.object).parent.name for one in (held, before) if one is not None}
        for version in (self._folder / "versions").iterdir():
            number = version.name.partition("-")[0]
            if version.name not in kept and number.isdecimal() and int(number) < held.decision:
                shutil.rmtree(version, ignore_errors=True)


def _is_ours(name: str) -> bool:
    """Whether a first deployment that was killed left this."""
    return name.startswith(".model.json.") and name.endswith(".tmp")
