"""Objects in the artifact store: written whole under a temporary name and renamed, checked by hash when read.

The store is any fsspec filesystem; a plain path is the local one. References name an object relative to the store's
root, which is the run directory: a run that is moved or copied is whole by itself.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import fsspec
import msgspec
from fsspec.implementations.local import LocalFileSystem

from shared.durable import sync, sync_file
from shared.errors import ArtifactError, ArtifactLostError
from shared.filesystems import filesystem_of

_CHUNK_BYTES = 2**20


class ArtifactRef(msgspec.Struct, frozen=True, kw_only=True):
    """An object's name below the root of its store, and what it must contain. Messages carry references, not bodies."""

    name: str
    sha256: str
    size_bytes: int


class ArtifactStore:
    """The objects of one run, below `root`."""

    def __init__(self, root: str) -> None:
        self.root = root

    def uri(self, name: str) -> str:
        """Where an object lies. Raises ArtifactError for a name that leads out of the store."""
        if name.startswith("/") or ".." in name.split("/"):
            raise ArtifactError(f"{name} is no name of an object below {self.root}.")
        return f"{self.root}/{name}"

    def write(self, name: str, body: bytes) -> ArtifactRef:
        """Store `body`, all or nothing. Raises ArtifactError."""
        write_artifact(self.uri(name), body)
        return ArtifactRef(name=name, sha256=hashlib.sha256(body).hexdigest(), size_bytes=len(body))

    def write_file(self, name: str, path: Path) -> ArtifactRef:
        """Store what a local file holds, all or nothing, chunk by chunk. Raises ArtifactError."""
        written, size_bytes = hashlib.sha256(), 0

        def fill(filesystem: Any, temporary: str) -> None:
            nonlocal size_bytes
            with path.open("rb") as file, filesystem.open(temporary, "wb") as out:
                while chunk := file.read(_CHUNK_BYTES):
                    out.write(chunk)
                    written.update(chunk)
                    size_bytes += len(chunk)

        _write(self.uri(name), fill)
        return ArtifactRef(name=name, sha256=written.hexdigest(), size_bytes=size_bytes)

    def read(self, ref: ArtifactRef) -> bytes:
        """The object's bytes, after their hash was checked. Raises ArtifactError if they are missing or differ.

        ArtifactLostError if nothing but making it anew, or a copy, can bring it back.
        """
        uri = self.uri(ref.name)
        filesystem, path = filesystem_of(uri)
        with _telling(uri):
            body = cast(bytes, filesystem.cat_file(path))
        self._check(ref, hashlib.sha256(body).hexdigest(), len(body))
        return body

    def read_file(self, ref: ArtifactRef, path: Path) -> None:
        """Write the object's bytes to a new local file, chunk by chunk; without an error they are what was recorded.

        Raises what `read` raises, and ArtifactError if there is no room for the file.
        """
        try:
            with path.open("wb") as file:
                for chunk in self._chunks(ref):
                    file.write(chunk)
        except OSError as error:
            raise ArtifactError(f"{path} could not be written: {error}. Make room there, then --resume.") from error

    def _chunks(self, ref: ArtifactRef) -> Iterator[bytes]:
        """The object's bytes, checked when the last was taken. Raises what `read` raises."""
        uri = self.uri(ref.name)
        filesystem, path = filesystem_of(uri)
        read, size_bytes = hashlib.sha256(), 0
        with _telling(uri):
            file = filesystem.open(path, "rb")
        with file:
            while True:
                with _telling(uri):
                    chunk = cast(bytes, file.read(_CHUNK_BYTES))
                if not chunk:
                    break
                read.update(chunk)
                size_bytes += len(chunk)
                yield chunk
        self._check(ref, read.hexdigest(), size_bytes)

    def _check(self, ref: ArtifactRef, sha256: str, size_bytes: int) -> None:
        """Raises if bytes of this hash and number are not what was recorded."""
        if sha256 != ref.sha256:
            damage = ArtifactError if size_bytes == ref.size_bytes else ArtifactLostError
            raise damage(
                f"{self.uri(ref.name)} is not what was recorded: {size_bytes} bytes do not hash to "
                f"{ref.sha256[:12]}…, {ref.size_bytes} bytes were written. Restore it, or delete it to have it made "
                "anew, then --resume."
            )

    def stands(self, ref: ArtifactRef) -> bool:
        """Whether an object of the recorded size is there; nothing is read. Raises ArtifactError if it cannot tell."""
        uri = self.uri(ref.name)
        filesystem, path = filesystem_of(uri)
        try:
            return bool(filesystem.info(path)["size"] == ref.size_bytes)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:  # a store that is away has lost nothing
            raise ArtifactError(f"{uri} cannot be looked at: {error}. Mend the store, then --resume.") from error

    def commit(self, ref: ArtifactRef, name: str) -> ArtifactRef:
        """Give an attempt's object its final name. Doing it again changes nothing. Raises ArtifactError."""
        filesystem, path = filesystem_of(self.uri(ref.name))
        final = ArtifactRef(name=name, sha256=ref.sha256, size_bytes=ref.size_bytes)
        target = filesystem_of(self.uri(name))[1]
        try:
            if filesystem.exists(path):
                _move(filesystem, path, target)
                return final
        except OSError as error:
            raise ArtifactError(
                f"{self.uri(ref.name)} could not be renamed to {name}: {error}. Mend the store, then --resume."
            ) from error
        for _ in self._chunks(final):
            pass
        return final


def write_artifact(uri: str, body: bytes) -> None:
    """Store `body` at `uri`, all or nothing: a reader sees the old object or the new one, also after a power cut.

    Raises ArtifactError.
    """
    _write(uri, lambda filesystem, temporary: filesystem.pipe_file(temporary, body))


def _write(uri: str, fill: Callable[[Any, str], None]) -> None:
    """`fill`: has a filesystem hold the body under a temporary name."""
    filesystem, path = filesystem_of(uri)
    parent, name = path.rsplit("/", 1)
    temporary = f"{parent}/.{name}.{uuid.uuid4().hex}.tmp"
    try:
        filesystem.makedirs(parent, exist_ok=True)
        fill(filesystem, temporary)
        _move(filesystem, temporary, path)
    except OSError as error:
        with suppress(OSError):
            filesystem.rm_file(temporary)
        raise ArtifactError(
            f"{uri} could not be written: {error}. Make room or mend the store, then --resume."
        ) from error


@contextmanager
def _telling(uri: str) -> Iterator[None]:
    """Within it an OSError is one of reading the object at `uri`."""
    try:
        yield
    except FileNotFoundError as error:
        raise ArtifactLostError(f"{uri} is not there: {error}. Bring it back, then --resume.") from error
    except OSError as error:
        raise ArtifactError(f"{uri} cannot be read: {error}. Mend the store, then --resume.") from error


def committed(ref: ArtifactRef, name: str) -> ArtifactRef:
    """What an attempt's object is called once it is committed: `name`, in the same folder."""
    return ArtifactRef(name=f"{ref.name.rsplit('/', 1)[0]}/{name}", sha256=ref.sha256, size_bytes=ref.size_bytes)


def _move(filesystem: fsspec.AbstractFileSystem, path: str, target: str) -> None:
    """Rename an object; on a local disk the bytes come down to it before the name, and the name before the return.

    Raises OSError, also for a folder of that name: the object would be moved into it.
    """
    if filesystem.isdir(target):
        raise IsADirectoryError(f"{target} is a folder; move it away")
    if not isinstance(filesystem, LocalFileSystem):
        filesystem.mv(path, target)
        return
    sync_file(Path(path))
    os.replace(path, target)
    sync(Path(target).parent)
