"""The dataset manifest: which file holds which keys, for ever; one JSON line a file, shared by all runs."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from shared.config.system import Dataset
from shared.dataset.files import count_rows, fingerprint, list_files
from shared.errors import DataError


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
    """The entries so far; a torn last line, left by a crash, does not count."""
    if not path.exists():
        return ()
    lines = path.read_bytes().split(b"\n")[:-1]
    return tuple(msgspec.json.decode(line, type=ManifestEntry) for line in lines)


def discover(dataset: Dataset, artifacts_root: str) -> tuple[ManifestEntry, ...]:
    """All entries, after files not known yet were appended in name order. Raises DataError if a known one changed.

    A lock on the manifest lets several supervisors agree on the keys.
    """
    path = manifest_path(artifacts_root, dataset.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as manifest:
        fcntl.flock(manifest, fcntl.LOCK_EX)
        entries = list(read_manifest(path))
        found = dict(list_files(dataset.uri))
        for entry in entries:
            _check_unchanged(entry, found, path)
        known = {entry.file for entry in entries}
        new = [file for file in found if file not in known]
        next_key = entries[-1].stop_key if entries else 0
        for file in new:
            entry = ManifestEntry(
                file=file,
                rows=count_rows(file, dataset.uri),
                size_bytes=found[file],
                fingerprint=fingerprint(file, dataset.uri),
                first_key=next_key,
            )
            entries.append(entry)
            next_key = entry.stop_key
        if new:
            _append(manifest.fileno(), path, entries[-len(new) :])
    return tuple(entries)


def restore_manifest(artifacts_root: str, dataset: str, entries: Sequence[ManifestEntry]) -> None:
    """Write a lost manifest back from what a journal remembers; one that is there stays."""
    path = manifest_path(artifacts_root, dataset)
    if len(read_manifest(path)) >= len(entries):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(_lines(entries))
    temporary.replace(path)


def _append(manifest: int, path: Path, entries: Sequence[ManifestEntry]) -> None:
    whole = path.read_bytes().rfind(b"\n") + 1
    os.ftruncate(manifest, whole)
    os.write(manifest, _lines(entries))
    os.fsync(manifest)


def _lines(entries: Sequence[ManifestEntry]) -> bytes:
    return b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)


def _check_unchanged(entry: ManifestEntry, found: dict[str, int], path: Path) -> None:
    remedy = f"Restore it; if the dataset was replaced on purpose, give it a new name or remove {path}."
    if entry.file not in found:
        raise DataError(f"{entry.file} has vanished; it holds the keys from {entry.first_key}. {remedy}")
    if found[entry.file] != entry.size_bytes:
        raise DataError(
            f"{entry.file} has changed: it had {entry.size_bytes} bytes and now has {found[entry.file]}. {remedy}"
        )
