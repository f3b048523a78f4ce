"""A file of the manifest as it was when its rows were given keys: whether it still is, and which columns it has."""

from __future__ import annotations

from functools import lru_cache

import pyarrow as pa

from shared.config.system import Dataset
from shared.dataset.files import schema_of, state_of
from shared.dataset.fingerprint import fingerprint
from shared.dataset.manifest import IF_MENDED, ManifestEntry
from shared.dataset.partitions import in_folder_names
from shared.errors import DataError

_SCHEMAS_KEPT = 4_096


def verify(entry: ManifestEntry, like: str) -> str:
    """Whenever it was written to since it was found: it is still the file whose rows were given keys. Its mark.

    `like` is the dataset's uri. Raises DataError.
    """
    mark = state_of(entry.file, like).mark
    if mark != entry.mark and fingerprint(entry.file, like, mark) != entry.fingerprint:
        raise DataError(
            f"{entry.file} has changed since its rows were given keys. Restore it, then --resume. {IF_MENDED}"
        )
    return mark


def refuse_mixture(entry: ManifestEntry, mark: str, like: str) -> None:
    """What was just read is of the file that was verified, not of one written over it since. Raises DataError."""
    if state_of(entry.file, like).mark != mark:
        raise DataError(
            f"{entry.file} has changed while it was read. Restore it, then --resume. New rows belong in new files."
        )


@lru_cache(maxsize=_SCHEMAS_KEPT)
def known_schema(entry: ManifestEntry, dataset: Dataset) -> pa.Schema:
    """Column names and types, of these contents and no others that the file had before or since. Raises DataError.

    What stands in the names of its folders comes behind what stands in the file.
    """
    schema = _own_schema(entry, dataset)
    folders = given_by_folders(entry, dataset).items()
    return pa.schema([*schema, *(pa.field(name, value.type) for name, value in folders)])


def given_by_folders(entry: ManifestEntry, dataset: Dataset) -> dict[str, pa.Scalar]:
    """Column → value of what only the names of folders say of the file's rows. Raises DataError."""
    said = in_folder_names(entry.file, dataset.uri)
    return {name: value for name, value in said.items() if name not in _own_schema(entry, dataset).names}


def a_column_of(entry: ManifestEntry, dataset: Dataset) -> str:
    """One that stands in the file, for who asks for none of them. Raises DataError."""
    return str(_own_schema(entry, dataset).names[0])


@lru_cache(maxsize=_SCHEMAS_KEPT)
def _own_schema(entry: ManifestEntry, dataset: Dataset) -> pa.Schema:
    mark = verify(entry, dataset.uri)
    schema = schema_of(entry.file, dataset)
    refuse_mixture(entry, mark, dataset.uri)
    return schema
