"""What is in a file, or in some bytes of it, in so few characters that two contents never have the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from shared.dataset.files import open_file

WHOLE_BYTES = 1 << 30
_BLOCK_BYTES = 1 << 20


def fingerprint(file: str, like: str, first_byte: int, stop_byte: int) -> str:
    """SHA-256 over size and contents of these bytes; of more than 1 GiB over 1,024 blocks of 1 MiB, evenly spread.

    `like` is the dataset's uri. Raises DataError if the file is gone.
    """
    with open_file(file, like) as opened:
        return fingerprint_in(opened, first_byte, stop_byte)


def fingerprint_in(opened: Any, first_byte: int, stop_byte: int, also: Callable[[bytes], object] | None = None) -> str:
    """The same of an open file; `also` hears what is read."""
    size = stop_byte - first_byte
    digest = hashlib.sha256(str(size).encode())
    if size <= WHOLE_BYTES:
        for block in blocks_in(opened, first_byte, stop_byte):
            digest.update(block)
            if also is not None:
                also(block)
    else:
        _add_spread_blocks(digest, opened, first_byte, size)
    return digest.hexdigest()


def blocks_in(opened: Any, first_byte: int, stop_byte: int) -> Any:
    """These bytes, piece by piece; fewer where the file ends before."""
    opened.seek(first_byte)
    left = stop_byte - first_byte
    while left > 0 and (block := opened.read(min(_BLOCK_BYTES, left))):
        yield block
        left -= len(block)


def _add_spread_blocks(digest: Any, opened: Any, first_byte: int, size: int) -> None:
    """From the first to the last one."""
    blocks = WHOLE_BYTES // _BLOCK_BYTES
    for number in range(blocks):
        opened.seek(first_byte + (size - _BLOCK_BYTES) * number // (blocks - 1))
        digest.update(opened.read(_BLOCK_BYTES))
