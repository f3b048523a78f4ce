"""The dataset manifest: which file holds which keys, for ever; one JSON line a file, shared by all runs."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import msgspec

from shared.config.system import Dataset
from shared.dataset.files import count_rows, fingerprint, list_files
from shared.errors import DataError

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
    first_key: int

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


def discover(dataset: Dataset, artifacts_root: str) -> tuple[ManifestEntry, ...]:
    """All entries, after files not known yet were appended in name order. Raises DataError if a known one changed.

    A lock on the manifest lets several supervisors agree on the keys. Files of a restored manifest are taken as they
    are now, if they have as many rows as before.
    """
    path = manifest_path(artifacts_root, dataset.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as manifest:
        fcntl.flock(manifest, fcntl.LOCK_EX)
        entries = list(read_manifest(path))
        found = dict(list_files(dataset.uri))
        for entry in entries:
            _check_unchanged(entry, found)
        if any(not entry.fingerprint for entry in entries):
            entries = [_taken_anew(entry, found, dataset.uri) for entry in entries]
            os.ftruncate(manifest.fileno(), 0)
            _append(manifest.fileno(), path, entries)
        known = {entry.file for entry in entries}
        new = [file for file in found if file not in known]
        next_key = entries[-1].stop_key if entries else 0
        for file in new:
            rows = count_rows(file, dataset.uri)
            entry = ManifestEntry(file=file, rows=rows, size_bytes=0, fingerprint="", first_key=next_key)
            entry = _taken_anew(entry, found, dataset.uri)
            entries.append(entry)
            next_key = entry.stop_key
        if new:
            _append(manifest.fileno(), path, entries[-len(new) :])
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
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(_lines([msgspec.structs.replace(entry, fingerprint="") for entry in entries]))
    temporary.replace(path)


def refuse_moved_keys(known: Sequence[ManifestEntry], now: Sequence[ManifestEntry], path: Path) -> None:
    """Keys are for ever: what a run has followed must stand in the manifest as it did. Raises DataError."""
    for before, after in zip_longest(known, now[: len(known)]):
        if after is None or (before.file, before.rows, before.first_key) != (after.file, after.rows, after.first_key):
            raise DataError(
                f"{path} gives other keys than this run has followed: {before.file} began at key {before.first_key} "
                f"with {before.rows} rows. Remove that manifest and --resume: the run writes its own back. "
                "If the dataset was replaced on purpose, give it a new name."
            )


def _append(manifest: int, path: Path, entries: Sequence[ManifestEntry]) -> None:
    whole = path.read_bytes().rfind(b"\n") + 1
    os.ftruncate(manifest, whole)
    body = _lines(entries)
    try:
        while body:
            body = body[os.write(manifest, body) :]
        os.fsync(manifest)
    except OSError as error:
        os.ftruncate(manifest, whole)
        raise DataError(f"{path} could not be written: {error.strerror}. Make room there, then --resume.") from error


def _lines(entries: Sequence[ManifestEntry]) -> bytes:
    return b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)


def _taken_anew(entry: ManifestEntry, found: dict[str, int], uri: str) -> ManifestEntry:
    """The entry with size and fingerprint of the file as it is now. Raises DataError if the keys do not fit it."""
    rows = count_rows(entry.file, uri)
    if rows != entry.rows:
        raise DataError(
            f"{entry.file} has {rows} rows, but had {entry.rows} when they were given keys, which are for ever. "
            "Restore it, or start a new run."
        )
    mark = fingerprint(entry.file, uri)
    return msgspec.structs.replace(entry, size_bytes=found[entry.file], fingerprint=mark)


def _check_unchanged(entry: ManifestEntry, found: dict[str, int]) -> None:
    if entry.file not in found:
        raise DataError(
            f"{entry.file} has vanished; it holds the keys from {entry.first_key}. Restore it, then --resume; "
            "if the dataset was replaced on purpose, give it a new name."
        )
    if entry.fingerprint and found[entry.file] != entry.size_bytes:
        raise DataError(
            f"{entry.file} has changed: it had {entry.size_bytes} bytes and now has {found[entry.file]}. "
            f"Restore it, then --resume. {IF_MENDED}"
        )
