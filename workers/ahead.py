"""Work that is done a piece ahead, in a thread, while the piece before is used."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(pieces: Iterator[T]) -> Iterator[T]:
    """The same pieces in the same order; while one is used, the next is made. What making one raises is raised here."""
    end = object()
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        coming = thread.submit(next, pieces, end)
        while (piece := coming.result()) is not end:
            coming = thread.submit(next, pieces, end)
            yield piece  # type: ignore[misc]
