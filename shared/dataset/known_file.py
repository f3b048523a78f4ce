"""A file of the manifest as it was when its rows were given keys: whether it still is, and which columns it has."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import pyarrow as pa

from shared.config.system import Dataset
from shared.dataset.contents import refuse_other_bytes
from shared.dataset.files import schema_of, state_of
from shared.dataset.found_file import FoundFile
from shared.dataset.growth import grows
from shared.dataset.manifest import ManifestEntry
from shared.dataset.partitions import in_folder_names, type_of_folders
from shared.errors import DataError

_SCHEMAS_KEPT = 4_096


def verify(pieces: Sequence[ManifestEntry], dataset: Dataset) -> FoundFile:
    """Whenever it was written to since it was found: these bytes are still those whose rows were given keys.

    The file as it is now. `pieces`: of one file. Raises DataError.
    """
    now = state_of(pieces[0].file, dataset.uri)
    stale = [piece for piece in pieces if piece.mark != now.mark]
    if stale:
        refuse_other_bytes(stale, dataset, now.mark)
    return now


def refuse_mixture(pieces: Sequence[ManifestEntry], verified: FoundFile, dataset: Dataset) -> bool:
    """What was just read is what was verified, and not of a file that was written over it since. Raises DataError.

    Others may touch a file (its links, its mode, its times), so what counts is what is in it. A text may become longer
    all the time: True says to verify it again when all is read.
    """
    now = state_of(pieces[0].file, dataset.uri)
    if now.mark == verified.mark:
        return False
    if now.size_bytes == verified.size_bytes:
        verify(pieces, dataset)
        return False
    if now.size_bytes > verified.size_bytes and grows(pieces[0].file, dataset):
        return True
    raise DataError(
        f"{pieces[0].file} has changed while it was read. Restore it, then --resume. New rows belong in new files, or "
        "at the end of a text."
    )


@lru_cache(maxsize=_SCHEMAS_KEPT)
def known_schema(entry: ManifestEntry, dataset: Dataset) -> pa.Schema:
    """Column names and types, of these contents and no others that the file had before or since. Raises DataError.

    What stands in the names of its folders comes behind what stands in the file.
    """
    schema = _own_schema(entry, dataset)
    folders = given_by_folders(entry, dataset).items()
    return pa.schema([*schema, *(pa.field(name, type_of_folders([text])) for name, text in folders)])


def given_by_folders(entry: ManifestEntry, dataset: Dataset) -> dict[str, str | None]:
    """Column → text of what only the names of folders say of the file's rows. Raises DataError."""
    said = in_folder_names(entry.file, dataset.uri)
    return {name: value for name, value in said.items() if name not in _own_schema(entry, dataset).names}


def a_column_of(entry: ManifestEntry, dataset: Dataset) -> str:
    """One that stands in the file, for who asks for none of them. Raises DataError."""
    return str(_own_schema(entry, dataset).names[0])


@lru_cache(maxsize=_SCHEMAS_KEPT)
def _own_schema(entry: ManifestEntry, dataset: Dataset) -> pa.Schema:
    verified = verify([entry], dataset)
    schema = schema_of(entry.file, dataset, entry.first_byte, entry.size_bytes)
    if refuse_mixture([entry], verified, dataset):
        verify([entry], dataset)
    return schema
