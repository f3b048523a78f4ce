"""Some lines of a text file, read as if they were a file; and whether its line ends can be told by their bytes."""

from __future__ import annotations

import codecs
from functools import lru_cache
from typing import Any

from shared.dataset.formats.unpacked import UTF_8, is_packed

_ASCII = bytes(range(128))
_ALL = bytes(range(256))


class Part:
    """Some bytes of a file behind others, which are its beginning; for who seeks from the start and reads."""

    def __init__(self, file: Any, head: bytes, first_byte: int, stop_byte: int) -> None:
        self._file, self._head = file, head
        self._first_byte, self._stop_byte = first_byte, stop_byte
        self._position = 0

    def seek(self, position: int) -> int:
        """Go there."""
        self._position = position
        return position

    def read(self, size: int) -> bytes:
        """At most so many bytes; none at the end."""
        found = self._head[self._position : self._position + size]
        if not found:
            start = self._first_byte + self._position - len(self._head)
            self._file.seek(start)
            found = bytes(self._file.read(max(min(size, self._stop_byte - start), 0)))
        self._position += len(found)
        return found


def can_grow(file: Any, encoding: str) -> bool:
    """Whether lines can be added at the end of a file: it is not packed, and its line ends are bytes of their own."""
    return _is_by_bytes(encoding) and not is_packed(file)


@lru_cache(maxsize=64)
def _is_by_bytes(encoding: str) -> bool:
    """UTF-8, or a byte a character, those of ASCII among them."""
    if encoding.lower() in UTF_8 or codecs.lookup(encoding).name in ("utf-8", "utf-8-sig"):
        return True
    try:
        return _ASCII.decode(encoding) == _ASCII.decode("ascii") and len(_ALL.decode(encoding, "replace")) == len(_ALL)
    except UnicodeError:
        return False
