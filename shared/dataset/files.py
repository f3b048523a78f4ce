"""The files of a dataset on any fsspec filesystem: opening them, and their rows and columns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from shared.config.system import Dataset
from shared.dataset.formats import format_of, suffixes_read, titles
from shared.dataset.formats.format import BadRowError, Format
from shared.dataset.found_file import FoundFile, found_file
from shared.dataset.manifest import MEND_IN_PLACE
from shared.errors import DataError
from shared.filesystems import filesystem_of
from shared.printable import printable

UNREADABLE = (pa.ArrowException, KeyError, UnicodeError, OSError, EOFError)


def state_of(uri: str, like: str) -> FoundFile:
    """A file's size and mark, which stay while nobody writes to it: cheaper than its fingerprint.

    Raises DataError if it is gone.
    """
    try:
        filesystem = filesystem_of(like)[0]
        filesystem.invalidate_cache()  # or a listing tells what the file was like when it was listed
        return found_file(filesystem.info(uri))
    except OSError as error:
        raise DataError(f"{uri} cannot be read: {error}. Bring the file back, then --resume.") from error


def size_when_opened(uri: str, like: str) -> int:
    """A file's size as who opens it sees it: other machines' listings may be some seconds old.

    Raises DataError if it is gone.
    """
    with open_file(uri, like) as file:
        return int(file.seek(0, 2))


def open_file(uri: str, like: str) -> Any:
    """Open a file of the dataset whose `uri` is `like`. Raises DataError if it is gone."""
    try:
        return filesystem_of(like)[0].open(uri, "rb")
    except OSError as error:
        raise DataError(f"{uri} cannot be read: {error}. Bring the file back, then --resume.") from error


def format_in(dataset: Dataset, file: str) -> Format:
    """How a file of the dataset is read, with what config.yaml says of it."""
    given = {"delimiter": dataset.delimiter, "encoding": dataset.encoding}
    return format_of(file, options={key: value for key, value in given.items() if value is not None})


@contextmanager
def open_part(uri: str, dataset: Dataset, first_byte: int = 0, stop_byte: int | None = None) -> Iterator[Any]:
    """The rows in these bytes of a file as a file of their own, where its format knows parts; else all of it.

    Raises DataError if it is gone.
    """
    part = getattr(format_in(dataset, uri), "part", None)
    with open_file(uri, dataset.uri) as file:
        yield file if part is None or stop_byte is None else part(file, first_byte, stop_byte)


def count_rows(uri: str, dataset: Dataset, first_byte: int = 0, stop_byte: int | None = None) -> int:
    """How many rows a file has, or these bytes of it. Raises DataError for one that cannot be read."""
    kind = format_in(dataset, uri)
    try:
        with open_part(uri, dataset, first_byte, stop_byte) as file:
            return kind.count_rows(file)
    except UNREADABLE as error:
        first_row = count_rows(uri, dataset, 0, first_byte) if first_byte else 0
        raise DataError(
            f"{uri} is not a readable {kind.title} file: {told(error, first_row)}. {_remedy('it', first_byte)} "
            f"{titles()} are read; a name says which: {suffixes_read()}."
        ) from error


def schema_of(uri: str, dataset: Dataset, first_byte: int = 0, stop_byte: int | None = None) -> pa.Schema:
    """Column names and types of a file, or of these bytes of it. Raises DataError."""
    kind = format_in(dataset, uri)
    try:
        with open_part(uri, dataset, first_byte, stop_byte) as file:
            schema = kind.schema(file)
            schema.names  # noqa: B018 - decodes them
            return schema
    except UNREADABLE as error:
        first_row = count_rows(uri, dataset, 0, first_byte) if first_byte else 0
        raise DataError(
            f"the columns of {uri} cannot be read: {told(error, first_row)}. {_remedy('the file', first_byte)}"
        ) from error


def _remedy(what: str, first_byte: int) -> str:
    """Of a file that has keys already nobody is to take anything away."""
    return MEND_IN_PLACE if first_byte else f"Mend {what} or take it away."


def of_the_system(error: BaseException) -> OSError | None:
    """Why a file could not be read, if that lies outside of it; pyarrow's own errors have no number."""
    cause = error if isinstance(error, OSError) else error.__cause__
    if not isinstance(cause, OSError) or isinstance(cause, FileNotFoundError) or cause.errno is None:
        return None
    return cause


def told(error: BaseException, first_row: int = 0) -> str:
    """What an error of a reader says, for people. `first_row`: of what was read, in its file."""
    error = BadRowError(first_row + error.row, error.said) if isinstance(error, BadRowError) else error
    return printable(str(error)).rstrip(". ")
