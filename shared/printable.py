"""Text that came from elsewhere, as it may be shown: bytes of a file that is no text never reach a terminal."""

from __future__ import annotations

_LONGEST = 400
_UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"


def printable(text: str) -> str:
    """The text on one line, cut where it is long, with marks for what cannot be printed."""
    line = " ".join(shown(text[:_LONGEST]).splitlines())
    return line if len(text) <= _LONGEST else f"{line}…"


def shown(text: str) -> str:
    """The text, with marks for what cannot be printed; lines stay lines."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one == "\n" else " " if one.isspace() else _UNPRINTABLE for one in text)
