"""What a file of the manifest holds: taken when its rows are given keys, and compared whenever files are looked for."""

from __future__ import annotations

import msgspec

from shared.config.system import Dataset
from shared.dataset.files import count_rows, state_of
from shared.dataset.fingerprint import fingerprint
from shared.dataset.found_file import tells_contents
from shared.dataset.listing import Listing
from shared.dataset.manifest import IF_MENDED, ManifestEntry
from shared.errors import DataError


def taken_anew(entry: ManifestEntry, dataset: Dataset) -> ManifestEntry:
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


def refuse_changed(entry: ManifestEntry, found: Listing, uri: str) -> None:
    """Raise DataError for a file that is gone, or is not what it was."""
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
