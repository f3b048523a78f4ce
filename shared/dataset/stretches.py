"""Pieces of a file that adjoin are read in one go: so what was found in many pieces costs what it costs in one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

import msgspec

from shared.config.system import Dataset
from shared.dataset.fingerprint import fingerprint
from shared.dataset.known_file import verify
from shared.dataset.manifest import ManifestEntry
from shared.dataset.partitions import in_folder_names


def stretches(
    entries: Sequence[ManifestEntry], first_key: int, stop_key: int, dataset: Dataset
) -> Iterator[list[ManifestEntry]]:
    """The entries with rows of [first_key, stop_key), those together that adjoin in their file as their keys do."""
    found: list[ManifestEntry] = []
    for number in range(bisect_right(entries, first_key, key=lambda entry: entry.stop_key), len(entries)):
        entry = entries[number]
        if entry.first_key >= stop_key:
            break
        if not entry.rows:
            continue
        if found and not _adjoin(found[-1], entry, dataset):
            yield found
            found = []
        found.append(entry)
    if found:
        yield found


def joined(entries: Sequence[ManifestEntry], dataset: Dataset) -> list[ManifestEntry]:
    """Entries with rows, each for all that adjoin: as good as these, for who looks into every one. Raises DataError."""
    stop_key = entries[-1].stop_key if entries else 0
    return [_one(pieces, dataset) for pieces in stretches(entries, 0, stop_key, dataset)]


def _one(pieces: Sequence[ManifestEntry], dataset: Dataset) -> ManifestEntry:
    first, stop_byte = pieces[0], pieces[-1].size_bytes
    if len(pieces) == 1:
        return first
    mark = verify(pieces, dataset).mark
    return msgspec.structs.replace(
        first,
        rows=sum(piece.rows for piece in pieces),
        size_bytes=stop_byte,
        fingerprint=fingerprint(first.file, dataset.uri, first.first_byte, stop_byte),
        mark=mark,
    )


def _adjoin(before: ManifestEntry, entry: ManifestEntry, dataset: Dataset) -> bool:
    """Which columns come from folders may differ from piece to piece: such pieces are read one by one."""
    return (
        before.file == entry.file
        and before.size_bytes == entry.first_byte
        and not in_folder_names(entry.file, dataset.uri)
    )
