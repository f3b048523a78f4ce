"""Which files a dataset has, on any fsspec filesystem, and what lies among them and is not read.

A folder is read with all that lies below it; links are followed; names that begin with `.` or `_` are invisible.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import fsspec
from fsspec.implementations.local import LocalFileSystem
from fsspec.utils import glob_translate

from shared.dataset.formats import is_data, suffixes_read
from shared.errors import DataError
from shared.printable import printable

_MARKS = "*?["
_CONTENTS = ("ETag", "etag", "md5Hash", "content_md5", "generation")  # what object stores say of contents
_TIMES = ("mtime", "created", "ino", "LastModified", "last_modified", "updated")
_MOST_NAMED = 20


class FoundFile(NamedTuple):
    """A file as it was found."""

    size_bytes: int
    mark: str  # stays while nobody writes to the file


class Listing(NamedTuple):
    """What a uri names: files in path order; and what else lies there, each with the reason."""

    files: dict[str, FoundFile]
    unreadable: dict[str, str]  # named like data
    passed_over: dict[str, str]

    def sentences(self, uri: str) -> list[str]:
        """What is not read, for people: one sentence for each reason."""
        reasons: dict[str, list[str]] = {}
        for name, reason in sorted({**self.unreadable, **self.passed_over}.items()):
            reasons.setdefault(reason, []).append(printable(_below(name, _root(uri))))
        return [f"{_named(names)}: not read, {reason}" for reason, names in reasons.items()]


def look(uri: str) -> Listing:
    """What a path, folder, glob or URI names now; a path that exists is that file or folder, whatever its name.

    Raises DataError for a place that cannot be looked into.
    """
    try:
        filesystem, path = fsspec.core.url_to_fs(uri)
        filesystem.invalidate_cache()  # clients of object stores keep listings without end
        return _look(filesystem, path)
    except (FileNotFoundError, NotADirectoryError):
        return Listing({}, {}, {})
    except (OSError, ValueError, ImportError) as error:
        told = printable(str(error))
        raise DataError(f"{uri} cannot be looked into: {told}. Mend uri under storage.datasets.") from error


def found_file(info: Mapping[str, Any]) -> FoundFile:
    """What a filesystem says of a file's contents, else of its size and times."""
    says = next((str(info[key]) for key in _CONTENTS if info.get(key)), None)
    mark = f"contents {says}" if says else " ".join(str(info.get(key, "")) for key in ("size", *_TIMES)).strip()
    return FoundFile(int(info["size"]), mark)


def tells_contents(mark: str) -> bool:
    """Whether other contents cannot have the same mark."""
    return mark.startswith("contents ")


def parts_below(file: str, uri: str) -> list[str]:
    """The names of the folders between the one that a uri names, or that its pattern begins in, and a file."""
    return _below(file, _root(uri)).split("/")[:-1]


def _look(filesystem: Any, path: str) -> Listing:
    try:
        info = filesystem.info(path)
    except FileNotFoundError:
        if any(mark in path for mark in _MARKS):
            return _matching(filesystem, path)
        if isinstance(filesystem, LocalFileSystem) and filesystem.lexists(path):
            return Listing({}, {path: _NOWHERE}, {})
        raise
    if info["type"] == "directory":
        walk = _Walk(filesystem, path) if isinstance(filesystem, LocalFileSystem) else _Flat(filesystem, path)
        walk.into(path)
        return walk.listing()
    return Listing({str(info["name"]): found_file(info)}, {}, {})


def _matching(filesystem: Any, pattern: str) -> Listing:
    """What a pattern matches; a folder that it matches is read with all that lies below."""
    root = _root(pattern)
    if isinstance(filesystem, LocalFileSystem):
        walk = _Walk(filesystem, root, pattern)
        walk.into(root, matched=False)
        return walk.listing()
    flat = _Flat(filesystem, root, pattern)
    for name, info in filesystem.glob(pattern, detail=True).items():
        flat.into(name) if info["type"] == "directory" else flat.meet(info, data=True)
    return flat.listing()


_MANIFEST = b'{"file":'
_NOWHERE = "a link that leads nowhere"
_LOOP = "a link to a folder that it lies in"
_NO_FILE = "neither file nor folder"


class _Flat:
    """What is found below a folder of a store that lists all of it at once, and has no links."""

    def __init__(self, filesystem: Any, root: str, pattern: str = "") -> None:
        self._filesystem, self._root, self._asked = filesystem, root, pattern.split("/")
        self._files: dict[str, FoundFile] = {}
        self._unreadable: dict[str, str] = {}
        self._passed_over: dict[str, str] = {}

    def into(self, folder: str) -> None:
        """All that lies below a folder."""
        for info in self._filesystem.find(folder, detail=True).values():
            self.meet(info, is_data(str(info["name"])))

    def meet(self, info: Mapping[str, Any], data: bool) -> None:
        """Take in a file, whether or not it is data; one that a pattern names is, whatever its suffix."""
        name = str(info["name"])
        if self._hidden(name):
            return
        if data:
            self._files[name] = found_file(info)
        else:
            self._passed_over[name] = f"as only {suffixes_read()} are"

    def listing(self) -> Listing:
        """What was found, in path order."""
        return Listing(dict(sorted(self._files.items())), self._unreadable, self._passed_over)

    def _hidden(self, name: str) -> bool:
        """Whether a name on the way is invisible; one that a pattern writes out is not."""
        below = _below(name, self._root).split("/")
        return any(part.startswith((".", "_")) and part not in self._asked for part in below)


class _Walk(_Flat):
    """What is found below a folder of a disk, with links followed; no file is read twice for a link within."""

    def __init__(self, filesystem: Any, root: str, pattern: str = "") -> None:
        super().__init__(filesystem, root, pattern)
        self._pattern = re.compile(glob_translate(pattern)) if pattern else None
        self._deepest = pattern.count("/") if pattern and "**" not in pattern else None
        self._linked: list[str] = []  # files on whose way there is a link

    def into(self, folder: str, *, matched: bool = True, above: tuple[str, ...] = (), linked: bool = False) -> None:
        """All that lies below a folder, unless it lies in itself; `matched`: all of it is asked for."""
        real = os.path.realpath(folder)
        if real in above:
            self._unreadable[folder] = _LOOP
            return
        try:
            entries = self._filesystem.ls(folder, detail=True)
        except (PermissionError, FileNotFoundError) as error:
            if not above:
                raise
            if matched:
                self._unreadable[folder] = f"it cannot be looked into ({error.strerror})"
            return
        if _is_run({str(info["name"]).rpartition("/")[2] for info in entries}):
            return
        for info in entries:
            if not self._hidden(str(info["name"])):
                self._entry(info, matched, (*above, real), linked)

    def _entry(self, info: Mapping[str, Any], matched: bool, above: tuple[str, ...], linked: bool) -> None:
        name, linked = str(info["name"]), linked or bool(info.get("islink"))
        named = self._pattern is not None and self._pattern.match(name) is not None
        if info.get("islink"):
            try:
                info = self._filesystem.info(name)
            except OSError:
                if matched or named:
                    self._unreadable[name] = _NOWHERE
                return
        if info["type"] == "directory":
            if matched or named or self._deepest is None or name.count("/") < self._deepest:
                self.into(name, matched=matched or named, above=above, linked=linked)
        elif matched or named:
            self._take(info, named, linked)

    def _take(self, info: Mapping[str, Any], named: bool, linked: bool) -> None:
        name = str(info["name"])
        if _is_manifest(name):
            return
        data = named or is_data(name)
        if info["type"] != "file":
            self._passed_over[name] = _NO_FILE
        elif data and not os.access(name, os.R_OK):
            self._unreadable[name] = "reading it is not permitted"
        else:
            self.meet(info, data)
            if linked and data:
                self._linked.append(name)

    def listing(self) -> Listing:
        """What was found; a link to a file that is read under its own name is passed over."""
        linked = set(self._linked)
        own = {os.path.realpath(name): name for name in self._files if linked and name not in linked}
        for name in self._linked:
            same = own.get(os.path.realpath(name))
            if same is not None:
                del self._files[name]
                self._passed_over[name] = f"as it is a link to {_below(same, self._root)}, which is read"
        return super().listing()


def _is_run(names: set[str]) -> bool:
    """Whether a folder with these names is a run directory: people put them beside their data, which they are not."""
    return {"journal.jsonl", "pipeline.yaml"} <= names


def _is_manifest(name: str) -> bool:
    """Whether a file is a manifest of a dataset, which lies beside run directories."""
    if not name.endswith(".jsonl") or name.split("/")[-2] != "datasets":
        return False
    try:
        with open(name, "rb") as file:
            return file.read(len(_MANIFEST)) in (b"", _MANIFEST)
    except OSError:
        return False


@lru_cache(maxsize=256)
def _root(uri: str) -> str:
    """The folder that a uri names, or that its pattern begins in, without the protocol."""
    path = str(fsspec.core.url_to_fs(uri)[1])
    first = min((path.index(mark) for mark in _MARKS if mark in path), default=None)
    return path if first is None or _exists(uri) else path[:first].rpartition("/")[0] or "/"


def _exists(uri: str) -> bool:
    filesystem, path = fsspec.core.url_to_fs(uri)
    return bool(filesystem.exists(path))


def _below(name: str, root: str) -> str:
    return name.removeprefix(root).lstrip("/") or name.rpartition("/")[2]


def _named(names: list[str]) -> str:
    """The first ones by name, and how many more."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
