"""What lies below a folder: data, what is named like data and cannot be read, and all else.

Links are followed; names that begin with `.` or `_` are invisible.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from fsspec.utils import glob_translate

from shared.dataset.formats import is_data, suffixes_read
from shared.dataset.found_file import FoundFile, found_file

_MANIFEST = re.compile(rb'\{"file":"([^"\\]|\\.)*+(","rows":\d+,"size_bytes":|[^\n]{0,999}\Z)')  # perhaps torn
_MANIFEST_BYTES = 65_536  # of it that are looked at
NOWHERE = "a link that leads nowhere"
_LOOP = "a link to a folder that it lies in"
_NO_FILE = "neither file nor folder"
_NO_TEXT = "as its name is not UTF-8; rename it"


class Flat:
    """What is found below a folder of a store that lists all of it at once, and has no links."""

    def __init__(self, filesystem: Any, root: str, pattern: str = "") -> None:
        self._filesystem, self._root, self._asked = filesystem, root, pattern.split("/")
        self.files: dict[str, FoundFile] = {}
        self.unreadable: dict[str, str] = {}
        self.passed_over: dict[str, str] = {}
        self.closed: dict[str, str] = {}  # folders that may hold what is asked for, and cannot be looked into

    def into(self, folder: str) -> None:
        """All that lies below a folder."""
        for info in self._filesystem.find(folder, detail=True).values():
            self.meet(info, _is_data(str(info["name"])))

    def meet(self, info: Mapping[str, Any], data: bool) -> None:
        """Take in a file, whether or not it is data; one that a pattern names is, whatever its suffix."""
        name = str(info["name"])
        if self._hidden(name):
            return
        if data:
            self.files[name] = found_file(info)
        else:
            self.passed_over[name] = f"as only {suffixes_read()} are"

    def _hidden(self, name: str) -> bool:
        """Whether a name on the way is invisible; one that a pattern writes out is not."""
        parts = below(name, self._root).split("/")
        return any(part.startswith((".", "_")) and part not in self._asked for part in parts)


class Walk(Flat):
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
            if matched:
                self.unreadable[folder] = _LOOP
            return
        try:
            entries = self._filesystem.ls(folder, detail=True)
        except OSError as error:
            if not above:
                raise
            self._cannot(folder, f"it cannot be looked into ({error.strerror})", asked_for=matched)
            return
        if _is_run({str(info["name"]).rpartition("/")[2] for info in entries}):
            return
        for info in entries:
            if not self._hidden(str(info["name"])):
                self._entry(info, matched, (*above, real), linked)
        if not above:
            self._pass_over_twins()

    def _entry(self, info: Mapping[str, Any], matched: bool, above: tuple[str, ...], linked: bool) -> None:
        name, linked = str(info["name"]), linked or bool(info.get("islink"))
        named = self._pattern is not None and self._pattern.match(name) is not None
        if not _is_text(name):
            if matched or named:
                self.unreadable[name] = _NO_TEXT
            return
        if info.get("islink"):
            try:
                info = self._filesystem.info(name)
            except OSError:
                self._cannot(name, NOWHERE, asked_for=matched or named)
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
        data = named or _is_data(name)
        if info["type"] != "file":
            self.passed_over[name] = _NO_FILE
        elif data and not os.access(name, os.R_OK):
            self._cannot(name, "reading it is not permitted")
        else:
            self.meet(info, data)
            if linked and data:
                self._linked.append(name)

    def _cannot(self, name: str, why: str, *, asked_for: bool = True) -> None:
        """Not of what was there when its folder was listed, and is gone now."""
        if os.path.lexists(name):
            (self.unreadable if asked_for else self.closed)[name] = why

    def _pass_over_twins(self) -> None:
        """Leave out links to files that are read under their own names, once all is found."""
        linked = set(self._linked)
        own = {os.path.realpath(name): name for name in self.files if linked and name not in linked}
        for name in self._linked:
            same = own.get(os.path.realpath(name))
            if same is not None:
                del self.files[name]
                self.passed_over[name] = f"as it is a link to {below(same, self._root)}, which is read"


def _is_data(name: str) -> bool:
    """Whether it is, by its name; asked of each file at each look, so that few kinds of names are looked into."""
    begin = name.find(".", name.rfind("/") + 1)
    return (begin >= 0 and _is_data_with(name[begin:])) or is_data(name)


@lru_cache(maxsize=4_096)
def _is_data_with(ending: str) -> bool:
    """Whatever stands before it in the name."""
    return is_data(f"\0{ending}")


def _is_run(names: set[str]) -> bool:
    """Whether a folder with these names is a run directory: people put them beside their data, which they are not."""
    return {"journal.jsonl", "pipeline.yaml"} <= names


def _is_manifest(name: str) -> bool:
    """Whether a file is a manifest of a dataset, which lies beside run directories."""
    if not name.endswith(".jsonl") or name.split("/")[-2] != "datasets":
        return False
    try:
        with open(name, "rb") as file:
            begins = file.read(_MANIFEST_BYTES)
    except OSError:
        return False
    return not begins or _MANIFEST.match(begins) is not None


def _is_text(name: str) -> bool:
    """Whether a name can be written into a manifest; Linux allows any bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def below(name: str, root: str) -> str:
    """The name from the root on."""
    return name.removeprefix(root).lstrip("/") or name.rpartition("/")[2]
