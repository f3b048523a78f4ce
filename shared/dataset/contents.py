"""What a file of the manifest holds: taken when its rows are given keys, and compared whenever files are looked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from shared.config.system import Dataset
from shared.dataset.files import count_rows, format_in, of_the_system, size_when_opened, state_of, told
from shared.dataset.fingerprint import fingerprint
from shared.dataset.found_file import FoundFile, tells_contents
from shared.dataset.growth import Rest, Tail, grows, new_rows_from, tail_of, whole_stop
from shared.dataset.listing import Listing, place_away
from shared.dataset.manifest import IF_MENDED, ManifestEntry
from shared.dataset.sameness import changed, note
from shared.errors import DataError

_MAY_GROW = "Lines may be added at its end, what stands there stays; a log that is begun anew gets a new name."
_MAY_NOT_GROW = "New rows belong in new files: only text that is not packed may grow."


class Proposal(NamedTuple):
    """What has no keys yet of a file."""

    entry: ManifestEntry | None  # which lacks its keys
    tail: Tail | None = None  # behind it, and waited for


_NOTHING = Proposal(None)


def proposed(file: str, now: FoundFile, known: Sequence[ManifestEntry], dataset: Dataset, rest: Rest) -> Proposal:
    """What has no keys yet of a file; `known`: what has, in order. Raises DataError."""
    if known and now.size_bytes == known[-1].size_bytes and (known[-1].rows or now.mark == known[-1].mark):
        return _NOTHING
    before = [piece for piece in known if piece.rows]
    if not grows(file, dataset):
        entry = None if before else whole(file, dataset)
        return Proposal(entry) if entry and (entry.rows or not known) else _NOTHING
    first_byte = before[-1].size_bytes if before else 0
    if known and now.size_bytes <= first_byte:
        return _NOTHING
    if before:
        behind_cut = new_rows_from(before[-1], now.size_bytes, dataset)
        if behind_cut is None or behind_cut == now.size_bytes:
            return _NOTHING
        first_byte = behind_cut
    stop_byte, had = whole_stop(file, now, first_byte, dataset, rest), sum(piece.rows for piece in before)
    is_all = rest.to_the_end and stop_byte == now.size_bytes and not known
    entry = rows_between(file, now, (first_byte, stop_byte), dataset) if is_all or stop_byte > first_byte else None
    if entry is not None and not entry.rows and not is_all:
        entry = None
    rows = had + (entry.rows if entry else 0)
    tail = tail_of(file, now, stop_byte, rows, dataset) if stop_byte < now.size_bytes else None
    if entry is None:
        return Proposal(None, tail)
    note(entry, dataset.uri)
    return Proposal(msgspec.structs.replace(entry, first_row=had), tail)


def refuse_changed(
    known: Mapping[str, Sequence[ManifestEntry]], moved: Mapping[str, FoundFile], found: Listing, dataset: Dataset
) -> dict[str, str]:
    """Place → sentence, of those that hold rows with keys and cannot be looked into now: whether these are as they were
    is not known.

    `known`: file → its pieces with rows. `moved`: those whose contents have to be compared. Raises DataError for a file
    that is gone, while its folder is there, or is not what it was but for new lines at the end of a text.
    """
    away: dict[str, str] = {}
    missing = {file: known[file] for file in known.keys() - found.files.keys()}
    for file, pieces in sorted(missing.items(), key=lambda one: one[1][0].first_key):
        place, why = place_away(file, found, dataset.uri)
        if not place:
            raise DataError(
                f"{file} has vanished; it holds the keys from {pieces[0].first_key}. Restore it, then --resume; "
                "if the dataset was replaced on purpose, give it a new name."
            )
        away.setdefault(place, _is_away(place, why, pieces[0]))
    for file, now in moved.items():
        if file in known and known[file][0].fingerprint:
            try:
                _refuse_other(known[file], now, dataset)
            except (DataError, OSError) as error:
                cause = of_the_system(error)
                if cause is None:
                    raise
                away[file] = _is_away(file, f"cannot be read: {told(cause)}", known[file][0])
    return away


def _is_away(place: str, why: str, first: ManifestEntry) -> str:
    return (
        f"{place} {why}; it holds rows that have keys, the first of them {first.first_key}. Bring it back; if the "
        "dataset was replaced on purpose, give it a new name."
    )


def refuse_other_bytes(pieces: Sequence[ManifestEntry], dataset: Dataset, mark: str) -> None:
    """Raise DataError if one of some pieces of one file is not what it was; `mark`: of the file now."""
    other = changed(pieces, dataset.uri, mark)
    if other is not None:
        where = f", in the {other.rows:,} rows from row {other.first_row + 1} on" if other.first_row else ""
        may_grow = f"{_MAY_GROW} " if hasattr(format_in(dataset, other.file), "grows") else ""
        raise DataError(
            f"{other.file} has changed since its rows were given keys{where}. Restore it, then --resume. "
            f"{may_grow}{IF_MENDED}"
        )


def _refuse_other(pieces: Sequence[ManifestEntry], now: FoundFile, dataset: Dataset) -> None:
    last = pieces[-1]
    if tells_contents(now.mark) and now.mark == last.mark:
        return
    size_bytes = now.size_bytes
    if size_bytes < last.size_bytes:
        size_bytes = size_when_opened(last.file, dataset.uri)
    may_grow = size_bytes != last.size_bytes and grows(last.file, dataset)
    if size_bytes < last.size_bytes or (size_bytes > last.size_bytes and not may_grow):
        raise DataError(
            f"{last.file} has changed: it had {last.size_bytes} bytes and now has {size_bytes}. "
            f"Restore it, then --resume. {_MAY_GROW if may_grow else _MAY_NOT_GROW} {IF_MENDED}"
        )
    refuse_other_bytes(pieces, dataset, now.mark)


def whole(file: str, dataset: Dataset) -> ManifestEntry:
    """All of a file that nobody writes to, as an entry that lacks keys. Raises DataError."""
    now = state_of(file, dataset.uri)
    entry = rows_between(file, now, (0, now.size_bytes), dataset)
    if state_of(file, dataset.uri) != now:
        raise _is_written_to(file)
    note(entry, dataset.uri)
    return entry


def rows_between(file: str, now: FoundFile, between: tuple[int, int], dataset: Dataset) -> ManifestEntry:
    """What is in some bytes of a file, while others may be written, as an entry that lacks keys. Raises DataError."""
    contents, rows = fingerprint(file, dataset.uri, *between), count_rows(file, dataset, *between)
    if state_of(file, dataset.uri).mark != now.mark and fingerprint(file, dataset.uri, *between) != contents:
        raise _is_written_to(file)
    first_byte, stop_byte = between
    return ManifestEntry(
        file=file,
        rows=rows,
        size_bytes=stop_byte,
        fingerprint=contents,
        mark=now.mark,
        first_key=0,
        first_byte=first_byte,
    )


def _is_written_to(file: str) -> DataError:
    return DataError(
        f"{file} is being written to. Write it under a name that begins with a dot, and rename it when done."
    )
