"""A file as it was found: its size, and a mark that stays while nobody writes to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

_CONTENTS = ("ETag", "etag", "md5Hash", "content_md5", "generation")  # what object stores say of contents
_SIZE_AND_TIMES = ("size", "mtime", "created", "ino", "LastModified", "last_modified", "updated")


class FoundFile(NamedTuple):
    """A file as it was found."""

    size_bytes: int
    mark: str  # stays while nobody writes to the file
    modified_s: float | None = None  # when somebody last did, in Unix seconds; None where that is not known


def found_file(info: Mapping[str, Any]) -> FoundFile:
    """What a filesystem says of a file's contents, else of its size and times."""
    says = "" if "ino" in info else next((str(info[key]) for key in _CONTENTS if info.get(key)), "")
    mark = f"contents {says}" if says else " ".join([str(info.get(key, "")) for key in _SIZE_AND_TIMES]).strip()
    return FoundFile(int(info["size"]), mark, _modified_s(info))


def _modified_s(info: Mapping[str, Any]) -> float | None:
    found = info.get("mtime") or info.get("LastModified") or info.get("last_modified")
    if isinstance(found, datetime):
        return found.timestamp()
    return float(found) if isinstance(found, int | float) else None


def tells_contents(mark: str) -> bool:
    """Whether other contents cannot have the same mark."""
    return mark.startswith("contents ")
