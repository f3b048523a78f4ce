"""A file as it was found: its size, and a mark that stays while nobody writes to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

_CONTENTS = ("ETag", "etag", "md5Hash", "content_md5", "generation")  # what object stores say of contents
_TIMES = ("mtime", "created", "ino", "LastModified", "last_modified", "updated")


class FoundFile(NamedTuple):
    """A file as it was found."""

    size_bytes: int
    mark: str  # stays while nobody writes to the file


def found_file(info: Mapping[str, Any]) -> FoundFile:
    """What a filesystem says of a file's contents, else of its size and times."""
    says = next((str(info[key]) for key in _CONTENTS if info.get(key)), None)
    mark = f"contents {says}" if says else " ".join(str(info.get(key, "")) for key in ("size", *_TIMES)).strip()
    return FoundFile(int(info["size"]), mark)


def tells_contents(mark: str) -> bool:
    """Whether other contents cannot have the same mark."""
    return mark.startswith("contents ")
