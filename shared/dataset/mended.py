"""Files of a manifest that is being restored: they may have been mended, so that their rows are elsewhere in them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise

import msgspec

from shared.config.system import Dataset
from shared.dataset.contents import rows_between, whole
from shared.dataset.files import state_of
from shared.dataset.fingerprint import fingerprint
from shared.dataset.found_file import FoundFile
from shared.dataset.growth import Rest, goes_on, grows, row_starts, whole_stop
from shared.dataset.manifest import ManifestEntry, by_file
from shared.dataset.sameness import changed
from shared.errors import DataError


def taken_anew(known: Sequence[ManifestEntry], dataset: Dataset) -> list[ManifestEntry]:
    """The entries with size and fingerprint of the files as they are now.

    Raises DataError for a file that the keys do not fit: it must have as many rows as before, or be a text that was
    added to behind them.
    """
    filled = by_file([entry for entry in known if entry.rows])
    taken = {file: iter(_taken_anew(pieces, dataset)) for file, pieces in filled.items()}
    return [next(taken[entry.file]) if entry.rows else _without_rows(entry) for entry in known]


def _without_rows(entry: ManifestEntry) -> ManifestEntry:
    """It has no keys, so that its file may be another by now, or none."""
    return entry if entry.fingerprint else msgspec.structs.replace(entry, fingerprint=entry.mark, mark="")


def _taken_anew(pieces: Sequence[ManifestEntry], dataset: Dataset) -> Sequence[ManifestEntry]:
    """The pieces of one file."""
    file, may_grow = pieces[0].file, grows(pieces[0].file, dataset)
    now, had = state_of(file, dataset.uri), sum(piece.rows for piece in pieces)
    if may_grow and now.size_bytes > pieces[-1].size_bytes or len(pieces) > 1:
        as_before = [msgspec.structs.replace(piece, fingerprint=piece.mark, mark=now.mark) for piece in pieces]
        if changed(as_before, dataset.uri, now.mark) is None and not goes_on(pieces[-1], dataset):
            return as_before
    found = _rows_in(file, now, had, dataset) if may_grow else whole(file, dataset)
    if found.rows != had and not (may_grow and found.rows > had):
        raise _has_other_rows(file, found.rows, had)
    if len(pieces) == 1 and found.rows == had:
        return [_with(pieces[0], found, found.fingerprint, (0, found.size_bytes))]
    borders = _borders(pieces, found, dataset)
    last_bytes = pieces[-1].size_bytes - pieces[-1].first_byte
    if found.rows > had and fingerprint(file, dataset.uri, borders[-2], borders[-2] + last_bytes) != pieces[-1].mark:
        raise _has_other_rows(file, found.rows, had)  # not added behind them
    return [
        _with(piece, found, fingerprint(file, dataset.uri, *between), between)
        for piece, between in zip(pieces, pairwise(borders), strict=True)
    ]


def _rows_in(file: str, now: FoundFile, had: int, dataset: Dataset) -> ManifestEntry:
    """All whole lines of a text; and what stands behind them, if it is a row that had a key."""
    stop_byte = whole_stop(file, now, 0, dataset, Rest(math.inf, to_the_end=False))
    if stop_byte:
        found = rows_between(file, now, (0, stop_byte), dataset)
        if found.rows >= had:
            return found
    return rows_between(file, now, (0, now.size_bytes), dataset)


def _borders(pieces: Sequence[ManifestEntry], found: ManifestEntry, dataset: Dataset) -> list[int]:
    """The bytes at which the pieces begin, and the one at which the last ends."""
    starts = row_starts(found, dataset)
    if len(starts) != found.rows:
        raise DataError(f"{found.file}: its lines are not its rows. Write one row a line, or restore the file.")
    ends, rows = [*starts, found.size_bytes], [0, *accumulate(piece.rows for piece in pieces)]
    return [0 if row == 0 else ends[row] for row in rows]


def _with(piece: ManifestEntry, found: ManifestEntry, contents: str, between: tuple[int, int]) -> ManifestEntry:
    first_byte, size_bytes = between
    return msgspec.structs.replace(
        piece, first_byte=first_byte, size_bytes=size_bytes, fingerprint=contents, mark=found.mark
    )


def _has_other_rows(file: str, rows: int, had: int) -> DataError:
    return DataError(
        f"{file} has {rows:,} rows, but had {had:,} when they were given keys, which are for ever. "
        "Restore it, or start a new run."
    )
