"""The dataset manifest: which file holds which keys, for ever; one JSON line a file, shared by all runs.

Who writes holds a lock on it, and what stood there is replaced in one go; so who reads needs none.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import BinaryIO

import msgspec

from shared.config.system import Dataset
from shared.dataset.files import count_rows, state_of
from shared.dataset.fingerprint import fingerprint
from shared.dataset.found_file import tells_contents
from shared.dataset.listing import Listing, look
from shared.durable import sync, write
from shared.errors import DataError
from shared.timestamps import now_us

IF_MENDED = (
    "If it was mended on purpose, remove the dataset's manifest (datasets/NAME.jsonl in the artifacts folder): "
    "--resume then takes the file as it is, with as many rows as before; a new run gives all rows new keys."
)
MEND_THE_ROW = (
    "Mend the row in its file and remove the dataset's manifest (datasets/NAME.jsonl in the artifacts folder), then "
    "--resume, or start a new run."
)


class ManifestEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the dataset. Its rows have the keys first_key … first_key + rows − 1."""

    file: str
    rows: int
    size_bytes: int
    fingerprint: str
    mark: str = ""  # of its size and times when it was found; while it stays, nobody wrote to the file
    first_key: int
    discovered_us: int = 0  # when the file was found; 0, of a manifest of before: no timestamp is too late for it

    @property
    def stop_key(self) -> int:
        """The first key that is not in this file."""
        return self.first_key + self.rows


def manifest_path(artifacts_root: str, dataset: str) -> Path:
    """Where the manifest of a dataset lies."""
    return Path(artifacts_root) / "datasets" / f"{dataset}.jsonl"


def read_manifest(path: Path) -> tuple[ManifestEntry, ...]:
    """The entries so far; a torn last line, left by a crash, does not count. Raises DataError for any other line."""
    if not path.exists():
        return ()
    lines = path.read_bytes().split(b"\n")[:-1]
    try:
        return tuple(msgspec.json.decode(line, type=ManifestEntry) for line in lines)
    except msgspec.MsgspecError as error:
        raise DataError(f"{path} is damaged: {error}. Remove it; --resume writes it anew from the journal.") from error


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


def discover(
    dataset: Dataset, artifacts_root: str, seen: Callable[[Dataset, Listing], None] | None = None
) -> tuple[ManifestEntry, ...]:
    """All entries, after files not known yet were appended in path order. Raises DataError if a known one changed.

    What a process has not read yet is read whole, and again where size or time moved since. A lock on the manifest lets
    several supervisors agree on the keys. Files of a restored manifest are taken as they are now, if they have as many
    rows as before. `seen` is called with all that lies there.
    """
    path = manifest_path(artifacts_root, dataset.name)
    with _locked(path) as manifest:
        known = read_manifest(path)
        found = look(dataset.uri)
        if seen is not None:
            seen(dataset, found)
        for entry in known:
            _check_unchanged(entry, found, dataset.uri)
        restored = any(not entry.fingerprint for entry in known)
        entries = [_taken_anew(entry, dataset) for entry in known] if restored else list(known)
        there, discovered_us = {entry.file for entry in known}, now_us()
        for file in (one for one in found.files if one not in there):
            next_key = entries[-1].stop_key if entries else 0
            rows = count_rows(file, dataset)
            entry = ManifestEntry(file=file, rows=rows, size_bytes=0, fingerprint="", first_key=next_key)
            entries.append(_taken_anew(msgspec.structs.replace(entry, discovered_us=discovered_us), dataset))
        if restored:
            _replace(path, entries)
        elif len(entries) > len(known):
            _append(manifest.fileno(), path, entries[len(known) :])
    return tuple(entries)


def copy_manifest(artifacts_root: str, other_root: str, dataset: str) -> None:
    """Have another root begin with the same keys."""
    original, copy = manifest_path(artifacts_root, dataset), manifest_path(other_root, dataset)
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(original.read_bytes() if original.exists() else b"")


def restore_manifest(artifacts_root: str, dataset: str, entries: Sequence[ManifestEntry]) -> None:
    """Write a lost manifest back from what a journal remembers; one that is there stays.

    Removing the manifest is also how people say that a file was mended, so the next `discover` takes files as they are.
    """
    path = manifest_path(artifacts_root, dataset)
    if len(read_manifest(path)) >= len(entries):
        return
    with _locked(path):
        if len(read_manifest(path)) < len(entries):
            _replace(path, [msgspec.structs.replace(entry, fingerprint="") for entry in entries])


def refuse_moved_keys(known: Sequence[ManifestEntry], now: Sequence[ManifestEntry], path: Path) -> None:
    """Keys are for ever: what a run has followed must stand in the manifest as it did. Raises DataError."""
    for before, after in zip_longest(known, now[: len(known)]):
        if after is None or (before.file, before.rows, before.first_key) != (after.file, after.rows, after.first_key):
            raise DataError(
                f"{path} gives other keys than this run has followed: {before.file} began at key {before.first_key} "
                f"with {before.rows} rows. Remove that manifest and --resume: the run writes its own back. "
                "If the dataset was replaced on purpose, give it a new name."
            )


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    """The manifest, which nobody else writes; one that was replaced while its lock was waited for is opened anew."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("ab+") as manifest:
            fcntl.flock(manifest, fcntl.LOCK_EX)
            if _stands_at(path, manifest):
                yield manifest
                return


def _stands_at(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _replace(path: Path, entries: Sequence[ManifestEntry]) -> None:
    """Write the manifest anew, whole or not at all. Its lock is held."""
    temporary = path.with_suffix(".tmp")
    with _writing(path):
        write(temporary, _lines(entries))
        temporary.replace(path)
        sync(path.parent)


def _append(manifest: int, path: Path, entries: Sequence[ManifestEntry]) -> None:
    whole = path.read_bytes().rfind(b"\n") + 1
    os.ftruncate(manifest, whole)
    body = _lines(entries)
    with _writing(path):
        try:
            while body:
                body = body[os.write(manifest, body) :]
            os.fsync(manifest)
            sync(path.parent)
        except OSError:
            os.ftruncate(manifest, whole)
            raise


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"{path} could not be written: {error.strerror}. Make room there, then --resume.") from error


def _lines(entries: Sequence[ManifestEntry]) -> bytes:
    return b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)


def _taken_anew(entry: ManifestEntry, dataset: Dataset) -> ManifestEntry:
    """The entry with size and fingerprint of the file as it is now. Raises DataError if the keys do not fit it."""
    now = state_of(entry.file, dataset.uri)
    rows = count_rows(entry.file, dataset)
    if rows != entry.rows:
        raise DataError(
            f"{entry.file} has {rows} rows, but had {entry.rows} when they were given keys, which are for ever. "
            "Restore it, or start a new run."
        )
    contents = fingerprint(entry.file, dataset.uri, now.mark)
    if state_of(entry.file, dataset.uri) != now:
        raise DataError(
            f"{entry.file} is being written to. Write it under a name that begins with a dot, and rename it when done."
        )
    return msgspec.structs.replace(entry, size_bytes=now.size_bytes, fingerprint=contents, mark=now.mark)


def _check_unchanged(entry: ManifestEntry, found: Listing, uri: str) -> None:
    now = found.files.get(entry.file)
    if now is None:
        why = found.unreadable.get(entry.file)
        gone = f"cannot be read, {why}" if why else "has vanished"
        raise DataError(
            f"{entry.file} {gone}; it holds the keys from {entry.first_key}. Restore it, then --resume; "
            "if the dataset was replaced on purpose, give it a new name."
        )
    if entry.fingerprint and now.size_bytes != entry.size_bytes:
        raise DataError(
            f"{entry.file} has changed: it had {entry.size_bytes} bytes and now has {now.size_bytes}. "
            f"Restore it, then --resume. {IF_MENDED}"
        )
    same = tells_contents(now.mark) and now.mark == entry.mark
    if entry.fingerprint and not same and fingerprint(entry.file, uri, now.mark) != entry.fingerprint:
        raise DataError(
            f"{entry.file} has changed since its rows were given keys. Restore it, then --resume. {IF_MENDED}"
        )
