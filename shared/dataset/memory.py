"""What this process knows of the files that it has looked at: of each dataset as many as it has, so that a look over
more of them than some limit does not forget all."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

from shared.dataset.manifest import ManifestEntry

_DATASETS_KEPT = 64


class FileMemory:
    """What is known of one file."""

    __slots__ = ("answer", "asked", "digest", "mark", "same", "seen", "settled", "stop_byte", "whole_mark")

    def __init__(self) -> None:
        self.mark = ""  # of the file when pieces were read …
        self.same: set[tuple[int, str]] = set()  # … that were as they had been: first byte and fingerprint
        self.stop_byte = 0  # all pieces before it were as they had been …
        self.digest = ""  # … when this was the SHA-256 of the file up to there …
        self.whole_mark = ""  # … and this its mark
        self.seen: tuple[int, float] = (-1, 0.0)  # its size, and since when it has been seen at that (monotonic)
        self.settled: tuple[str, Sequence[ManifestEntry]] = ("", ())  # at this mark these pieces are all of it
        self.asked: Any = None  # what was asked last of what has no keys …
        self.answer: Any = None  # … and what was found


_datasets: dict[str, dict[str, FileMemory]] = {}  # uri → file → what is known


def memories(like: str) -> dict[str, FileMemory]:
    """Those of the files of a dataset; `like` is its uri."""
    found = _datasets.get(like)
    if found is None:
        while len(_datasets) >= _DATASETS_KEPT:
            del _datasets[next(iter(_datasets))]
        found = _datasets[like] = {}
    return found


def memory_of(file: str, like: str) -> FileMemory:
    """That of one file, empty at first."""
    files = memories(like)
    found = files.get(file)
    if found is None:
        found = files[file] = FileMemory()
    return found


def forget_others(like: str, files: Container[str], known: Container[str]) -> None:
    """Forget what is neither there nor known any more."""
    of_dataset = memories(like)
    for file in [one for one in of_dataset if one not in files and one not in known]:
        del of_dataset[file]
