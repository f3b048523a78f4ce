"""The log of a target's decisions: numbered records in a folder, each linked under its number once and never changed.

    <target>/decisions/00000007.json     what was put there, by which run, why

Whose record has a number, what stands under it tells, never what the disk answered: a link may be there although its
answer was an error.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path

import msgspec

from shared.durable import sync, sync_file
from shared.errors import NotReadyError
from shared.targets.target import Record


class DecisionLog:
    """The records of a target. Methods raise OSError."""

    def __init__(self, target: Path) -> None:
        self.folder = target / "decisions"

    def read(self, number: int) -> Record | None:
        """The record under a number, None if there is none. Raises NotReadyError for a file that is no record."""
        path = self._path_of(number)
        try:
            body = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return decoded(body, path)

    def newest_number(self) -> int:
        """Of all records; 0 if there are none. Only where model.json is not there to say where to begin."""
        names = self.folder.glob("[0-9]*.json")
        return max((int(one.stem) for one in names if one.stem.isdecimal()), default=0)

    def propose(self, record: Record) -> Path:
        """Write the record beside its number, where it does not count yet, in a target that must be there."""
        path = self.folder / f".{uuid.uuid4().hex}.tmp"
        path.parent.mkdir(exist_ok=True)
        write_beside(path, msgspec.json.format(msgspec.json.encode(record)) + b"\n")
        return path

    def link(self, proposed: Path, number: int) -> None:
        """Give a proposed record its number, unless another has it; either is on the disk then."""
        try:
            os.link(proposed, self._path_of(number))
        except FileExistsError:
            pass  # which also answers a link that was made, and asked for again
        finally:
            with contextlib.suppress(OSError):
                proposed.unlink()
        self.sync()
        sync(self.folder.parent)

    def sync(self) -> None:
        """Bring the records that can be read down to the disk."""
        sync(self.folder)

    def holds(self, record: Record) -> bool:
        """Whether this record has its number."""
        stands = self.read(record.decision)
        return stands is not None and stands.object == record.object

    def holds_another(self, record: Record) -> bool:
        """Whether another has the number of this record, which then never will."""
        stands = self.read(record.decision)
        return stands is not None and stands.object != record.object

    def _path_of(self, number: int) -> Path:
        return self.folder / f"{number:08d}.json"


def decoded(body: bytes, path: Path) -> Record:
    """What a record or a model.json says. Raises NotReadyError for what no deployment wrote."""
    try:
        said = msgspec.json.decode(body)
        if isinstance(said, dict) and isinstance(said.get("decision"), dict):  # by a version that kept no records
            said |= {"decision": 0, "replaced": None}
        return msgspec.convert(said, Record)
    except msgspec.MsgspecError as error:
        raise NotReadyError(
            f"{path} was not written by a deployment ({error}); name an empty folder as deployment target."
        ) from error


def write_beside(path: Path, body: bytes) -> None:
    """Write a file down to the disk, in a folder that must be there: one that is gone is not made anew."""
    path.write_bytes(body)
    sync_file(path)
    sync(path.parent)
