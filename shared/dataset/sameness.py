"""Whether the bytes whose rows have keys are what they were; what this process has found the same is not read again
while nobody writes to its file."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

from shared.dataset.files import open_file
from shared.dataset.fingerprint import WHOLE_BYTES, blocks_in, fingerprint_in
from shared.dataset.manifest import ManifestEntry
from shared.dataset.memory import FileMemory, memory_of


def note(piece: ManifestEntry, like: str) -> None:
    """Remember a piece that was just read, when its file had the mark that the piece has."""
    _known_at(piece.mark, memory_of(piece.file, like)).same.add((piece.first_byte, piece.fingerprint))


def changed(pieces: Sequence[ManifestEntry], like: str, mark: str) -> ManifestEntry | None:
    """The first of some pieces of one file, in order, that is not what it was when its rows were given keys.

    `mark`: of the file now. Of more than 1 GiB evenly spread pieces are read, of so many bytes. `like` is the dataset's
    uri. Raises DataError if the file is gone.
    """
    memory = _known_at(mark, memory_of(pieces[0].file, like))
    behind = bisect_right(pieces, memory.stop_byte, key=_stop_byte) if memory.whole_mark == mark else 0
    if _knows(memory, pieces[behind:]):
        return None
    pieces = evenly_spread(pieces)
    if _knows(memory, pieces):
        return None
    with open_file(pieces[0].file, like) as opened:
        if len(pieces) > 1 and _adjoin(pieces):
            return _first_other_from_the_start(opened, pieces, memory)
        for piece in pieces:
            if fingerprint_in(opened, piece.first_byte, piece.size_bytes) != piece.fingerprint:
                return piece
            memory.same.add((piece.first_byte, piece.fingerprint))
    return None


def _knows(memory: FileMemory, pieces: Sequence[ManifestEntry]) -> bool:
    """Whether all of them were read and the same."""
    return all((piece.first_byte, piece.fingerprint) in memory.same for piece in pieces)


def _known_at(mark: str, memory: FileMemory) -> FileMemory:
    if memory.mark != mark:
        memory.mark, memory.same = mark, set()
    return memory


def _stop_byte(piece: ManifestEntry) -> int:
    return piece.size_bytes


def evenly_spread(pieces: Sequence[ManifestEntry]) -> Sequence[ManifestEntry]:
    """As many pieces of a file as have about 1 GiB, the first and the last among them."""
    total = sum(min(piece.size_bytes - piece.first_byte, WHOLE_BYTES) for piece in pieces)
    step = -(-total // WHOLE_BYTES) if len(pieces) > 1 else 1
    return pieces if step <= 1 else [*pieces[:-1:step], pieces[-1]]


def _adjoin(pieces: Sequence[ManifestEntry]) -> bool:
    """Whether they are all bytes from the file's first one on."""
    return pieces[0].first_byte == 0 and all(
        piece.size_bytes == following.first_byte for piece, following in zip(pieces, pieces[1:], strict=False)
    )


def _first_other_from_the_start(
    opened: Any, pieces: Sequence[ManifestEntry], memory: FileMemory
) -> ManifestEntry | None:
    """One reading; up to where they were the same before it takes one digest for all, as there may be many of them."""
    whole, known = hashlib.sha256(), bisect_left(pieces, memory.stop_byte, key=_stop_byte)
    behind = pieces
    if memory.digest and known < len(pieces) and pieces[known].size_bytes == memory.stop_byte:
        for block in blocks_in(opened, 0, memory.stop_byte):
            whole.update(block)
        if whole.hexdigest() == memory.digest:
            behind = pieces[known + 1 :]
        else:
            whole = hashlib.sha256()
    for piece in behind:
        if fingerprint_in(opened, piece.first_byte, piece.size_bytes, whole.update) != piece.fingerprint:
            return piece
    memory.stop_byte, memory.digest, memory.whole_mark = pieces[-1].size_bytes, whole.hexdigest(), memory.mark
    return None
