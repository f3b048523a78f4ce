"""A file of the manifest as it was when its rows were given keys: whether it still is, and which columns it has."""

from __future__ import annotations

from functools import lru_cache

import pyarrow as pa

from shared.dataset.files import fingerprint, schema_of, unchanged_mark
from shared.dataset.manifest import IF_MENDED, ManifestEntry
from shared.errors import DataError

_SCHEMAS_KEPT = 256
_verified: dict[str, tuple[str, str]] = {}  # file → its fingerprint, and its mark when this process found it unchanged


def verify(entry: ManifestEntry, like: str) -> str:
    """Whenever it was written to since the last look: it is still the file whose rows were given keys. Its mark.

    `like` is the dataset's uri. Raises DataError.
    """
    mark = unchanged_mark(entry.file, like)
    if _verified.get(entry.file) == (entry.fingerprint, mark):
        return mark
    if fingerprint(entry.file, like) != entry.fingerprint:
        raise DataError(
            f"{entry.file} has changed since its rows were given keys. Restore it, then --resume. {IF_MENDED}"
        )
    _verified[entry.file] = entry.fingerprint, mark
    return mark


def refuse_mixture(entry: ManifestEntry, mark: str, like: str) -> None:
    """What was just read is of the file that was verified, not of one written over it since. Raises DataError."""
    if unchanged_mark(entry.file, like) != mark:
        raise DataError(
            f"{entry.file} has changed while it was read. Restore it, then --resume. New rows belong in new files."
        )


@lru_cache(maxsize=_SCHEMAS_KEPT)
def known_schema(entry: ManifestEntry, like: str) -> pa.Schema:
    """Column names and types, of these contents and no others that the file had before or since. Raises DataError."""
    mark = verify(entry, like)
    schema = schema_of(entry.file, like)
    refuse_mixture(entry, mark, like)
    return schema
