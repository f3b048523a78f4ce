"""The dataset manifest: which file holds which keys, for ever; one JSON line a file, and one for each time it grew.

All runs share it. Who writes holds a lock on it, and what stood there is replaced in one go; so who reads needs none.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import BinaryIO

import msgspec

from shared.durable import sync, write
from shared.errors import DataError, PlaceError

_TRY_AGAIN_S = 0.05
IF_MENDED = (
    "If it was mended on purpose, remove the dataset's manifest (datasets/NAME.jsonl in the artifacts folder, of "
    "labels NAME.labels.jsonl): --resume then takes the file as it is, with as many rows as before; a new run gives "
    "all rows new keys."
)
MEND_THE_ROW = (
    "Mend the row in its file and remove the dataset's manifest (datasets/NAME.jsonl in the artifacts folder, of "
    "labels NAME.labels.jsonl), then --resume, or start a new run."
)

MEND_IN_PLACE = (
    "Mend that in its place: the rows behind it wait for it, and the file has to stay, as those before have keys."
)


class ManifestEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file of the dataset, or a piece of one that grew. Its rows have the keys first_key … first_key + rows − 1.

    They are in the bytes first_byte … size_bytes − 1 of the file; a CSV has its names at the beginning of the file.
    """

    file: str
    rows: int
    size_bytes: int
    fingerprint: str  # of these bytes; empty in a manifest that is being restored, where `mark` has it
    mark: str = ""  # of the file's size and times when it was found; while it stays, nobody wrote to the file
    first_key: int
    discovered_us: int = 0  # when it was found; 0, of a manifest of before: no timestamp is too late for it
    first_row: int = 0  # rows of the file that have keys in entries before
    first_byte: int = 0

    @property
    def stop_key(self) -> int:
        """The first key that is not in this file."""
        return self.first_key + self.rows


_DECODER = msgspec.json.Decoder(ManifestEntry)
_MANIFESTS_KEPT = 8
_read: dict[Path, tuple[bytes, tuple[ManifestEntry, ...]]] = {}  # what of a manifest this process has decoded


def manifest_path(artifacts_root: str, dataset: str) -> Path:
    """Where the manifest of a dataset lies."""
    return Path(artifacts_root) / "datasets" / f"{dataset}.jsonl"


def read_manifest(path: Path) -> tuple[ManifestEntry, ...]:
    """The entries so far; a torn last line, left by a crash, does not count. Raises DataError for any other line."""
    if not path.exists():
        return ()
    try:
        return _decoded(path)
    except msgspec.MsgspecError as error:
        raise DataError(f"{path} is damaged: {error}. Remove it; --resume writes it anew from the journal.") from error


def _decoded(path: Path) -> tuple[ManifestEntry, ...]:
    """Only the lines that this process has not decoded yet: a file that grows for days has many."""
    text = path.read_bytes()
    before, entries = _read.get(path, (b"", ()))
    if not text.startswith(before):
        before, entries = b"", ()
    whole = text[: text.rfind(b"\n") + 1]
    new = tuple(map(_DECODER.decode, whole[len(before) :].split(b"\n")[:-1]))
    if len(_read) > _MANIFESTS_KEPT:
        _read.clear()
    _read[path] = whole, (*entries, *new) if new else entries
    return _read[path][1]


def by_file(entries: Sequence[ManifestEntry]) -> dict[str, list[ManifestEntry]]:
    """File → its pieces, in order."""
    found: dict[str, list[ManifestEntry]] = {}
    for entry in entries:
        found.setdefault(entry.file, []).append(entry)
    return found


def entries_up_to(last_key: int, path: Path) -> tuple[ManifestEntry, ...]:
    """The entries, for who needs the rows up to a key. Raises DataError if they do not reach it."""
    entries = read_manifest(path)
    stop_key = entries[-1].stop_key if entries else 0
    if stop_key <= last_key and not path.exists():
        raise DataError(f"{path} is not there, which says what file holds what rows. --resume writes it back.")
    if stop_key <= last_key:
        raise DataError(
            f"{path} ends before key {stop_key}, and rows up to key {last_key} are needed: it was cut, or replaced. "
            "--resume writes it back."
        )
    if any(not entry.fingerprint for entry in entries):
        raise DataError(
            f"{path} is being written back by a run that goes on; --resume once it has looked at all files."
        )
    return entries


def copy_manifest(artifacts_root: str, other_root: str, dataset: str) -> None:
    """Have another root begin with the same keys."""
    original, copy = manifest_path(artifacts_root, dataset), manifest_path(other_root, dataset)
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(original.read_bytes() if original.exists() else b"")


def restore_manifest(artifacts_root: str, dataset: str, entries: Sequence[ManifestEntry]) -> None:
    """Write a lost manifest back from what a journal remembers; one that is there stays.

    Removing the manifest is also how people say that a file was mended, so the next discovery takes files as they are.
    """
    path = manifest_path(artifacts_root, dataset)
    if len(read_manifest(path)) >= len(entries):
        return
    with writing_manifest(path) as manifest:
        if len(manifest.entries) < len(entries):
            manifest.replace(
                [msgspec.structs.replace(entry, fingerprint="", mark=entry.fingerprint) for entry in entries]
            )


def refuse_moved_keys(known: Sequence[ManifestEntry], now: Sequence[ManifestEntry], path: Path) -> None:
    """Keys are for ever: what a run has followed must stand in the manifest as it did. Raises DataError."""
    if tuple(known) == tuple(now[: len(known)]):
        return
    for before, after in zip_longest(known, now[: len(known)]):
        if after is None or (before.file, before.rows, before.first_key) != (after.file, after.rows, after.first_key):
            raise DataError(
                f"{path} gives other keys than this run has followed: {before.file} began at key {before.first_key} "
                f"with {before.rows:,} rows. Remove that manifest and --resume: the run writes its own back. "
                "If the dataset was replaced on purpose, give it a new name."
            )


class OpenManifest:
    """The manifest while its lock is held: nobody else writes it."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file
        self.entries = read_manifest(path)

    def replace(self, entries: Sequence[ManifestEntry]) -> None:
        """Write it anew, whole or not at all. Raises DataError."""
        temporary = self._path.with_suffix(".tmp")
        with self._writing():
            write(temporary, _lines(entries))
            temporary.replace(self._path)
            sync(self._path.parent)

    def append(self, entries: Sequence[ManifestEntry]) -> None:
        """Write more of it, all or nothing. Raises DataError."""
        whole = self._path.read_bytes().rfind(b"\n") + 1
        descriptor, body = self._file.fileno(), _lines(entries)
        os.ftruncate(descriptor, whole)
        with self._writing():
            try:
                while body:
                    body = body[os.write(descriptor, body) :]
                os.fsync(descriptor)
                sync(self._path.parent)
            except OSError:
                os.ftruncate(descriptor, whole)
                raise

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            why = f"{self._path} could not be written: {error.strerror}"
            raise DataError(f"{why}. Make room there, then --resume.") from error


@contextmanager
def writing_manifest(path: Path, patience_s: float | None = None) -> Iterator[OpenManifest]:
    """The manifest, which nobody else writes; one that was replaced while its lock was waited for is opened anew.

    Raises DataError for one that is damaged, PlaceError where another process writes it for longer than `patience_s`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("ab+") as manifest:
            _lock(manifest, path, patience_s)
            if _stands_at(path, manifest):
                yield OpenManifest(path, manifest)
                return


def _lock(manifest: BinaryIO, path: Path, patience_s: float | None) -> None:
    if patience_s is None:
        fcntl.flock(manifest, fcntl.LOCK_EX)
        return
    give_up_s = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(manifest, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > give_up_s:
                raise PlaceError(
                    f"{path} is held by another process that gives keys to files of this dataset, for more than "
                    f"{patience_s:g} s. Wait for it, or end it if it stands still."
                ) from None
        time.sleep(_TRY_AGAIN_S)


def _stands_at(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _lines(entries: Sequence[ManifestEntry]) -> bytes:
    return b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)
