"""A text file that grows: how far its records are whole, and what of them has no keys yet."""

from __future__ import annotations

import time
from typing import NamedTuple

from shared.config.system import Dataset
from shared.dataset.files import count_rows, format_in, open_file, state_of
from shared.dataset.formats.records import records_in
from shared.dataset.found_file import FoundFile
from shared.dataset.manifest import ManifestEntry
from shared.dataset.memory import memory_of
from shared.errors import DataError
from shared.printable import printable

_LEAST_REST_S = 5.0
_LONG_AGO_S = 60.0  # clocks of machines differ by less
_LONGEST_ROW_BYTES = 1 << 20  # of those that are waited for
_SAMPLE_BYTES = 1 << 16
_LINE_ENDS = (b"\n", b"\r")
_SHOWN_BYTES = 60  # of what waits for its end


class Rest(NamedTuple):
    """When the end of a text counts that has no line end."""

    at_rest_s: float = 0.0  # once nobody has written to the file for so long; 0: at once
    to_the_end: bool = True  # then all that stands there counts, so that what is no row is told; else that waits


class Tail(NamedTuple):
    """The end of a text that is no whole row yet."""

    first_byte: int
    size_bytes: int
    rows: int  # before it
    begins: str

    def sentence(self, file: str) -> str:
        """What waits, for people."""
        where = f"behind row {self.rows}" if self.rows else "at its beginning"
        waits = f"{self.size_bytes} bytes {where} are no whole line and wait for their end: {self.begins!r}"
        return f"{file}: {waits}. End that line, or take it out."


def rest_s(poll_s: float) -> float:
    """For how long nobody may have written to a file before a last line that has no line end counts as whole."""
    return max(poll_s, _LEAST_REST_S)


def grows(file: str, dataset: Dataset) -> bool:
    """Whether the file is one to which lines may be added: text, not packed. Raises DataError if it is gone."""
    kind = format_in(dataset, file)
    if not hasattr(kind, "grows"):
        return False
    with open_file(file, dataset.uri) as opened:
        return bool(kind.grows(opened))


def whole_stop(file: str, now: FoundFile, first_byte: int, dataset: Dataset, rest: Rest) -> int:
    """The byte behind the last whole record from `first_byte` on, at which one begins. Raises DataError.

    A last line without a line end is one if nobody has written to the file for a while, and if it can be read.
    """
    if rest.to_the_end and is_at_rest(file, now, dataset.uri, rest.at_rest_s):
        return now.size_bytes
    with open_file(file, dataset.uri) as opened:
        records = format_in(dataset, file).records(opened, first_byte)  # type: ignore[attr-defined]
        for _ in records_in(opened, records, first_byte, now.size_bytes):
            pass
    stop_byte, size_bytes = int(records.stop_byte), now.size_bytes
    if records.quoted and stop_byte == first_byte and size_bytes - stop_byte > _LONGEST_ROW_BYTES:
        raise DataError(
            f"{file} has a quote in the row that begins at byte {stop_byte} that is not closed up to its end: no row "
            "behind it can be told apart. Close it, or write it twice within quotes."
        )
    if stop_byte == size_bytes or records.quoted or not is_at_rest(file, now, dataset.uri, rest.at_rest_s):
        return stop_byte
    if stop_byte == 0:
        _refuse_no_text(file, dataset)
    is_whole = _is_a_row(file, dataset, stop_byte, size_bytes) and state_of(file, dataset.uri).size_bytes == size_bytes
    return size_bytes if is_whole else stop_byte


def tail_of(file: str, now: FoundFile, first_byte: int, rows: int, dataset: Dataset) -> Tail | None:
    """What stands behind the last whole record, of which there are so many; None if it is blank. Raises DataError."""
    with open_file(file, dataset.uri) as opened:
        opened.seek(first_byte)
        begins = opened.read(min(_SHOWN_BYTES, now.size_bytes - first_byte))
    text = printable(begins.decode(dataset.encoding or "utf-8", errors="replace").strip())
    return Tail(first_byte, now.size_bytes - first_byte, rows, text) if text else None


def row_starts(found: ManifestEntry, dataset: Dataset) -> list[int]:
    """Where each row begins of an entry that begins with its file; its last line counts. Raises DataError."""
    with open_file(found.file, dataset.uri) as opened:
        kind = format_in(dataset, found.file)
        records = kind.records(opened)  # type: ignore[attr-defined]
        starts = [int(one) for block, _ in records_in(opened, records, 0, found.size_bytes) for one in block]
        opened.seek(records.stop_byte)
        if opened.read(found.size_bytes - records.stop_byte).strip():
            starts.append(records.stop_byte)
    return starts[1:] if kind.has_names else starts  # type: ignore[attr-defined]


def goes_on(last: ManifestEntry, dataset: Dataset) -> bool:
    """Whether the line of the last row that has a key was not whole when it was read, and goes on now."""
    if not last.rows:
        return False
    with open_file(last.file, dataset.uri) as opened:
        opened.seek(last.size_bytes - 1)
        border = bytes(opened.read(2))
    return len(border) > 1 and not any(end in border for end in _LINE_ENDS)


def new_rows_from(last: ManifestEntry, size_bytes: int, dataset: Dataset) -> int | None:
    """The byte at which rows begin that have no keys. Raises DataError if the file is gone.

    Where the last row that has a key was not whole when it was read, and went on, that is behind the end of its line,
    None while this is not there: a row stays what it was when it was given its key.
    """
    if not goes_on(last, dataset):
        return last.size_bytes
    with open_file(last.file, dataset.uri) as opened:
        opened.seek(last.size_bytes)
        at = last.size_bytes
        while block := opened.read(min(_SAMPLE_BYTES, size_bytes - at)):
            place = min((block.index(end) for end in _LINE_ENDS if end in block), default=-1)
            if place >= 0:
                more = 2 if block[place : place + 2] == b"\r\n" else 1
                return at + place + more
            at += len(block)
    return None


def _refuse_no_text(file: str, dataset: Dataset) -> None:
    """Zeros are what some programs write before they write a file."""
    with open_file(file, dataset.uri) as opened:
        if b"\0" in opened.read(_SAMPLE_BYTES):
            title = format_in(dataset, file).title
            raise DataError(f"{file} is not a readable {title} file: it begins with zeros. Mend it or take it away.")


def _is_a_row(file: str, dataset: Dataset, first_byte: int, stop_byte: int) -> bool:
    try:
        return count_rows(file, dataset, first_byte, stop_byte) == 1
    except DataError:
        return False


def is_at_rest(file: str, now: FoundFile, like: str, at_rest_s: float) -> bool:
    """By how long this process has seen it at this size; or by when it was written to, if that was so long ago that
    no difference of clocks explains it.
    """
    if not at_rest_s or _is_old(now, at_rest_s):
        return True
    memory = memory_of(file, like)
    if memory.seen[0] != now.size_bytes:
        memory.seen = now.size_bytes, time.monotonic()
    return time.monotonic() - memory.seen[1] >= at_rest_s


def _is_old(now: FoundFile, at_rest_s: float) -> bool:
    return now.modified_s is not None and time.time() - now.modified_s >= max(at_rest_s, _LONG_AGO_S)
