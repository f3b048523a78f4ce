"""The files of a dataset on any fsspec filesystem: listing them, opening them, telling whether they changed."""

from __future__ import annotations

import hashlib
from typing import Any, cast

import fsspec
import pyarrow as pa

from shared.dataset.formats import format_of, is_data
from shared.errors import DataError
from shared.plugins import FORMATS

_FINGERPRINT_BYTES = 65_536
UNREADABLE = (pa.ArrowException, KeyError, UnicodeDecodeError, OSError)


def list_files(uri: str) -> list[tuple[str, int]]:
    """Files and sizes in bytes that a path, folder, glob or URI names, in name order; hidden ones left out.

    Raises DataError for a place that cannot be looked into.
    """
    try:
        filesystem, path = fsspec.core.url_to_fs(uri)
        filesystem.invalidate_cache()  # clients of object stores keep listings without end
        if any(mark in path for mark in "*?["):
            found = list(cast(dict[str, Any], filesystem.glob(path, detail=True)).values())
        elif filesystem.isdir(path):
            found = [info for info in filesystem.ls(path, detail=True) if is_data(info["name"])]
        else:
            found = [filesystem.info(path)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError, ImportError) as error:
        raise DataError(f"{uri} cannot be looked into: {error}. Mend uri under storage.datasets.") from error
    files = [(str(info["name"]), int(info["size"])) for info in found if info["type"] == "file"]
    return sorted(file for file in files if not file[0].rsplit("/", 1)[-1].startswith((".", "_")))


def fingerprint(uri: str, like: str) -> str:
    """SHA-256 over size, first and last 64 KiB: cheap, and different for any file that was rewritten."""
    with open_file(uri, like) as file:
        size = file.seek(0, 2)
        digest = hashlib.sha256(str(size).encode())
        for start in (0, max(0, size - _FINGERPRINT_BYTES)):
            file.seek(start)
            digest.update(file.read(_FINGERPRINT_BYTES))
    return digest.hexdigest()


def unchanged_mark(uri: str, like: str) -> str:
    """A text that stays while nobody writes to the file: cheaper than its fingerprint. Raises DataError if gone."""
    try:
        filesystem = fsspec.core.url_to_fs(like)[0]
        filesystem.invalidate_cache()  # or a listing tells what the file was like when it was listed
        return str(filesystem.ukey(uri))
    except OSError as error:
        raise DataError(f"{uri} cannot be read: {error}. Bring the file back, then --resume.") from error


def open_file(uri: str, like: str) -> Any:
    """Open a file of the dataset whose `uri` is `like`. Raises DataError if it is gone."""
    try:
        return fsspec.core.url_to_fs(like)[0].open(uri, "rb")
    except OSError as error:
        raise DataError(f"{uri} cannot be read: {error}. Bring the file back, then --resume.") from error


def count_rows(uri: str, like: str) -> int:
    """How many rows a file has. Raises DataError for one that cannot be read."""
    try:
        with open_file(uri, like) as file:
            return format_of(uri).count_rows(file)
    except UNREADABLE as error:
        known = " or ".join(kind.title for kind in FORMATS.values())
        raise DataError(f"{uri} is not a readable {known} file: {error}. Mend it or take it away.") from error


def schema_of(uri: str, like: str) -> pa.Schema:
    """Column names and types of a file. Raises DataError."""
    try:
        with open_file(uri, like) as file:
            schema = format_of(uri).schema(file)
            schema.names  # noqa: B018 - decodes them
            return schema
    except UNREADABLE as error:
        raise DataError(f"the columns of {uri} cannot be read: {error}. Mend the file or take it away.") from error
