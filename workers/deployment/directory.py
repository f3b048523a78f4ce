"""Target `directory`: a new version beside the old, and one atomic switch of model.json.

    <target>/model.json                              which version is deployed, and how to load it
    <target>/versions/<run start>-<decision>-<attempt>/model.safetensors
    <target>/.lock                                   held while two decisions are compared, not while a model is written

A version is complete and on the disk before model.json names it. A reader that opened the old model.json still finds
the old object, for the version before stays until the next switch; a reader that is overtaken twice between the two
files finds no object, and reads model.json again.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from shared.durable import locked, sync, write
from shared.errors import ArtifactError, NotReadyError
from shared.timestamps import format_timestamp, now_us

_OBJECT = "model.safetensors"
_VERSION = re.compile(r"(\d+)-(\d+)-.+")
_PATIENCE_S = 10.0  # for a lock that is held for a fraction of a millisecond


class DecisionStamp(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """Decisions are ordered by the start of their run, then by their number; an older one never replaces a newer."""

    run_started_us: int
    number: int
    run_id: str


class _Record(msgspec.Struct, frozen=True):
    """What the next deployment needs to know of a model.json."""

    object: str
    decision: DecisionStamp

    @property
    def version(self) -> str:
        """The folder under versions/."""
        return self.object.split("/")[1]


def deploy(target: Path, stamp: DecisionStamp, attempt: str, body: bytes, about: Mapping[str, Any]) -> bool:
    """Make `body` the model in `target`; False if a newer decision is there. Doing it again changes nothing.

    Killed at any point it leaves the old model or the new one. Raises NotReadyError for a folder that holds something
    else, ArtifactError if the folder cannot be written.
    """
    current = _current(target)
    if current is None:
        _refuse_foreign(target)
    elif current.decision >= stamp:
        return current.decision == stamp
    version = target / "versions" / f"{stamp.run_started_us}-{stamp.number}-{attempt}"
    try:
        current = _write_and_switch(target, stamp, version, body, about)
    except OSError as error:
        shutil.rmtree(version, ignore_errors=True)
        current = _current(target)
        if current is None or current.decision < stamp:
            raise ArtifactError(f"{target} cannot be written: {error}. Make room or mend the folder.") from error
    return current.decision == stamp


def _write_and_switch(
    target: Path, stamp: DecisionStamp, version: Path, body: bytes, about: Mapping[str, Any]
) -> _Record:
    """Write the version, and name it in model.json unless a newer decision came first. What is deployed then."""
    written = _Record(f"versions/{version.name}/{_OBJECT}", stamp)
    staged = version / "model.json"
    write(version / _OBJECT, body)
    write(staged, _describe(target, written, body, about))
    sync(version.parent)
    with locked(target / ".lock", _PATIENCE_S):
        replaced = _current(target)
        switched = replaced is None or replaced.decision < stamp
        if switched:
            staged.replace(target / "model.json")
    if not switched:
        shutil.rmtree(version, ignore_errors=True)
        assert replaced is not None
        return replaced
    sync(target)
    sync(target.parent)
    _sweep(target, written, replaced)
    return written


def _describe(target: Path, record: _Record, body: bytes, about: Mapping[str, Any]) -> bytes:
    described = {
        "object": record.object,
        "sha256": hashlib.sha256(body).hexdigest(),
        "size_bytes": len(body),
        **about,
        "decision": msgspec.to_builtins(record.decision),
        "deployed_at": format_timestamp(now_us()),
        "load": f"from workers.inference import load_model; model = load_model({str(target)!r})",
    }
    return (json.dumps(described, indent=2, ensure_ascii=False) + "\n").encode()


def _refuse_foreign(target: Path) -> None:
    """Raise NotReadyError for a target without model.json that is not ours to fill."""
    if target.exists() and not target.is_dir():
        raise NotReadyError(f"{target} is a file; name an empty folder as deployment target.")
    names = {path.name for path in target.iterdir()} if target.exists() else set()
    # With model.json among them, another first deployment has just switched.
    if "model.json" not in names and names - {"versions", ".lock"}:
        raise NotReadyError(f"{target} holds other files and no model.json; name an empty folder as deployment target.")


def _current(target: Path) -> _Record | None:
    """What is deployed in `target`. Raises NotReadyError for a model.json that no deployment wrote."""
    try:
        return msgspec.json.decode((target / "model.json").read_bytes(), type=_Record)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except msgspec.DecodeError as error:
        raise NotReadyError(
            f"{target}/model.json was not written by a deployment ({error}); name an empty folder as deployment target."
        ) from error


def _sweep(target: Path, current: _Record, replaced: _Record | None) -> None:
    """Remove the versions of older decisions, and what killed attempts left; the one just replaced stays.

    Versions of newer decisions stay, too: they are being written.
    """
    kept = {current.version, replaced.version if replaced else current.version}
    newest = (current.decision.run_started_us, current.decision.number)
    for version in (target / "versions").iterdir():
        named = _VERSION.fullmatch(version.name)
        if named and version.name not in kept and (int(named[1]), int(named[2])) <= newest:
            shutil.rmtree(version, ignore_errors=True)
