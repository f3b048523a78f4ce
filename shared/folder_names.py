"""Sentences as names of folders: what these may not hold is written as `%` and its number, and can be read back."""

from __future__ import annotations

import re

# What no folder's name may hold, what a shell or a URL of a file system would take for something else, and our sign.
_UNSAFE = re.compile(r"[/\\%*?\x00-\x1f\x7f]|(?<=:):|^\.")
_ESCAPED = re.compile(r"%(2F|5C|25|2A|3F|3A|2E)")  # of these, the ones that can be printed


def escaped(sentence: str) -> str:
    """As a folder may be called."""
    return _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", sentence)


def readable(name: str) -> str:
    """What a folder's name says, for people: no path any more. What cannot be printed stays as it is."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), name)
