"""What the environment filled in for `${NAME}`; wherever text is shown, `${NAME}` stands in its place again."""

from __future__ import annotations

import os
import re

_NAME = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
# User and password of a URL, unless the password is a `${NAME}`; a password may hold @ and /.
_USER = re.compile(r"(?<=://)([^:@/\s]*):(?!\$\{\w+\}@[^@\s]*(?:\s|$))[^\s'\"]*@")
_PARAMETER = re.compile(r"(?<=[?&]password=)(?!\$\{)[^&\s'\"]*")
SHORTEST = 4  # shorter values are no secrets, and would garble every sentence
_filled: dict[str, str] = {}  # value → `${NAME}`, of all files that this process has read


def fill(text: str) -> tuple[str, list[str]]:
    """The text with each `${NAME}` replaced by its value, and the names that the environment lacks."""
    missing = [name for name in _NAME.findall(text) if name not in os.environ]

    def value(match: re.Match[str]) -> str:
        found = os.environ.get(match[1], "")
        if len(found) >= SHORTEST:
            _filled[found] = match[0]
        return found

    return _NAME.sub(value, text), missing


def hide(text: str) -> str:
    """The text as it may be shown: without values from the environment, and without a URL's password."""
    for value in sorted(_filled, key=len, reverse=True):
        text = text.replace(value, _filled[value])
    return hide_password(text)


def hide_password(url: str) -> str:
    """A URL whose password is `***`; one that is written as `${NAME}` stays."""
    return _PARAMETER.sub("***", _USER.sub(r"\1:***@", url))
