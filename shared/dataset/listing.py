"""Which files a dataset has, on any fsspec filesystem, and what lies among them and is not read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from fsspec.implementations.local import LocalFileSystem

from shared.dataset.folders import NOWHERE, Flat, Walk, below
from shared.dataset.found_file import FoundFile, found_file
from shared.errors import PlaceError
from shared.filesystems import filesystem_of
from shared.printable import printable

_MARKS = "*?["
_MOST_NAMED = 20


class Listing(NamedTuple):
    """What a uri names: files in path order; and what else lies there, each with the reason."""

    files: dict[str, FoundFile]
    unreadable: dict[str, str]  # named like data
    passed_over: dict[str, str]
    closed: Mapping[str, str] = MappingProxyType({})  # folders on the way, perhaps to nothing that is asked for

    def sentences(self, uri: str) -> list[str]:
        """What is not read, for people: one sentence for each reason."""
        reasons: dict[str, list[str]] = {}
        for name, reason in sorted({**self.unreadable, **self.passed_over}.items()):
            reasons.setdefault(reason, []).append(printable(below(name, _root(uri))))
        return [f"{_named(names)}: not read, {reason}" for reason, names in reasons.items()]


def look(uri: str) -> Listing:
    """What a path, folder, glob or URI names now; a path that exists is that file or folder, whatever its name.

    Raises PlaceError for one that cannot be looked into.
    """
    try:
        filesystem, path = filesystem_of(uri)
        filesystem.invalidate_cache()  # clients of object stores keep listings without end
        return _look(filesystem, path)
    except (FileNotFoundError, NotADirectoryError):
        return Listing({}, {}, {})
    except (OSError, ValueError, ImportError) as error:
        told = printable(str(error))
        raise PlaceError(f"{uri} cannot be looked into: {told}. Mend uri under storage.datasets.") from error


def parts_below(file: str, uri: str) -> list[str]:
    """The names of the folders between the one that a uri names, or that its pattern begins in, and a file."""
    return below(file, _root(uri)).split("/")[:-1]


def place_away(file: str, found: Listing, uri: str) -> tuple[str, str]:
    """The place whose absence explains that a look has not found a file, and what is the matter with it; empty if there
    is none: one that could not be looked into, or the topmost folder above the file that is not there.
    """
    for name in (file, *_above(file)):
        why = found.unreadable.get(name) or found.closed.get(name)
        if why is not None:
            return name, f"cannot be read, {why}"
    filesystem, absent = filesystem_of(uri)[0], ""
    for folder in _above(file):
        if filesystem.exists(folder):
            break
        absent = folder
    return absent, "is not there" if absent else ""


def _above(file: str) -> Iterator[str]:
    """The folders that a file lies in, from within."""
    folder = file.rpartition("/")[0]
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]


def _look(filesystem: Any, path: str) -> Listing:
    try:
        info = filesystem.info(path)
    except FileNotFoundError:
        if any(mark in path for mark in _MARKS):
            return _matching(filesystem, path)
        if isinstance(filesystem, LocalFileSystem) and filesystem.lexists(path):
            return Listing({}, {path: NOWHERE}, {})
        raise
    if info["type"] == "directory":
        folder = Walk(filesystem, path) if isinstance(filesystem, LocalFileSystem) else Flat(filesystem, path)
        folder.into(path)
        return _listing(folder)
    return Listing({str(info["name"]): found_file(info)}, {}, {})


def _matching(filesystem: Any, pattern: str) -> Listing:
    """What a pattern matches; a folder that it matches is read with all that lies below."""
    root = _before_marks(pattern)
    if isinstance(filesystem, LocalFileSystem):
        walk = Walk(filesystem, root, pattern)
        walk.into(root, matched=False)
        return _listing(walk)
    flat = Flat(filesystem, root, pattern)
    for name, info in filesystem.glob(pattern, detail=True).items():
        flat.into(name) if info["type"] == "directory" else flat.meet(info, data=True)
    return _listing(flat)


def _listing(found: Flat) -> Listing:
    return Listing(dict(sorted(found.files.items())), found.unreadable, found.passed_over, found.closed)


@lru_cache(maxsize=256)
def _root(uri: str) -> str:
    """The folder that a uri names, or that its pattern begins in, without the protocol."""
    filesystem, path = filesystem_of(uri)
    is_pattern = any(mark in path for mark in _MARKS) and not filesystem.exists(path)
    return _before_marks(path) if is_pattern else str(path)


def _before_marks(pattern: str) -> str:
    """The folder in which a pattern begins."""
    first = min(pattern.index(mark) for mark in _MARKS if mark in pattern)
    return pattern[:first].rpartition("/")[0] or "/"


def _named(names: list[str]) -> str:
    """The first ones by name, and how many more."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
