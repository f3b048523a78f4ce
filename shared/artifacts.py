"""Objects in the artifact store: written whole under a temporary name and renamed, checked by hash when read.

The store is any fsspec filesystem; a plain path is the local one.
"""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path
from typing import cast

import fsspec
import msgspec
from fsspec.implementations.local import LocalFileSystem

from shared.durable import sync, sync_file
from shared.errors import ArtifactError, ArtifactLostError


class ArtifactRef(msgspec.Struct, frozen=True, kw_only=True):
    """Where an object lies and what it must contain. Messages carry references, never bodies."""

    uri: str
    sha256: str
    size_bytes: int


def write_artifact(uri: str, body: bytes) -> ArtifactRef:
    """Store `body` at `uri`, all or nothing: a reader sees the old object or the new one, also after a power cut.

    Raises ArtifactError.
    """
    filesystem, path = fsspec.core.url_to_fs(uri)
    parent, name = path.rsplit("/", 1)
    temporary = f"{parent}/.{name}.{uuid.uuid4().hex}.tmp"
    try:
        filesystem.makedirs(parent, exist_ok=True)
        filesystem.pipe_file(temporary, body)
        _move(filesystem, temporary, path)
    except OSError as error:
        raise ArtifactError(
            f"{uri} could not be written: {error}. Make room or mend the store, then --resume."
        ) from error
    return ArtifactRef(uri=uri, sha256=hashlib.sha256(body).hexdigest(), size_bytes=len(body))


def _move(filesystem: fsspec.AbstractFileSystem, path: str, target: str) -> None:
    """Rename an object; on a local disk the bytes come down to it before the name, and the name before the return."""
    local = isinstance(filesystem, LocalFileSystem)
    if local:
        sync_file(Path(path))
    filesystem.mv(path, target)
    if local:
        sync(Path(target).parent)


def read_artifact(ref: ArtifactRef) -> bytes:
    """The object's bytes, after their hash was checked. Raises ArtifactError if they are missing or differ.

    ArtifactLostError if nothing but making it anew, or a copy, can bring it back.
    """
    filesystem, path = fsspec.core.url_to_fs(ref.uri)
    try:
        body = cast(bytes, filesystem.cat_file(path))
    except FileNotFoundError as error:
        raise ArtifactLostError(f"{ref.uri} is not there: {error}. Bring it back, then --resume.") from error
    except OSError as error:
        raise ArtifactError(f"{ref.uri} cannot be read: {error}. Mend the store, then --resume.") from error
    if hashlib.sha256(body).hexdigest() != ref.sha256:
        damage = ArtifactError if len(body) == ref.size_bytes else ArtifactLostError
        raise damage(
            f"{ref.uri} is not what was recorded: {len(body)} bytes do not hash to {ref.sha256[:12]}…, "
            f"{ref.size_bytes} bytes were written. Restore it, or delete it to have it made anew, then --resume."
        )
    return body


def stands(ref: ArtifactRef) -> bool:
    """Whether an object of the recorded size is there; nothing is read. Raises ArtifactError if it cannot tell."""
    filesystem, path = fsspec.core.url_to_fs(ref.uri)
    try:
        return bool(filesystem.info(path)["size"] == ref.size_bytes)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:  # a store that is away has lost nothing
        raise ArtifactError(f"{ref.uri} cannot be looked at: {error}. Mend the store, then --resume.") from error


def committed(ref: ArtifactRef, name: str) -> ArtifactRef:
    """What an attempt's object is called once it is committed: `name`, in the same folder."""
    return ArtifactRef(uri=f"{ref.uri.rsplit('/', 1)[0]}/{name}", sha256=ref.sha256, size_bytes=ref.size_bytes)


def commit_artifact(ref: ArtifactRef, uri: str) -> ArtifactRef:
    """Give an attempt's object its final name. Doing it again changes nothing. Raises ArtifactError."""
    filesystem, path = fsspec.core.url_to_fs(ref.uri)
    final = ArtifactRef(uri=uri, sha256=ref.sha256, size_bytes=ref.size_bytes)
    target = fsspec.core.url_to_fs(uri)[1]
    try:
        if filesystem.exists(path):
            _move(filesystem, path, target)
            return final
    except OSError as error:
        raise ArtifactError(
            f"{ref.uri} could not be renamed to {uri}: {error}. Mend the store, then --resume."
        ) from error
    read_artifact(final)
    return final
