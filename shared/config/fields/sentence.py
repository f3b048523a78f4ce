"""What every field says of a value that is wrong: a sentence, with the value and what would be right."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marshmallow import fields

from shared.config.fields.tuned import Tuned
from shared.config.secrets import hide
from shared.words import meant

EMPTY = "is empty; give a value or remove the key."
_LONGEST_QUOTE = 80


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint at the nearest known word, else the list of all."""
    names = sorted(known)
    near = meant(word, names)
    return f"did you mean {near}?" if near else f"known: {', '.join(names) or 'none'}."


def quoted(value: Any) -> str:
    """A value as an error shows it: cut short where it is long, never a secret."""
    try:
        text = hide(repr(value))
    except ValueError:  # Python refuses to print numbers of thousands of digits
        return "a number of thousands of digits"
    return text if len(text) <= _LONGEST_QUOTE else f"{text[: _LONGEST_QUOTE - 1]}…"


class Sentence(fields.Field[Any]):
    """The base: null is refused with a sentence, not with marshmallow's words."""

    default_error_messages = {"null": EMPTY, "required": "is missing; add it."}

    def __init__(self, meaning: str, *, tuned: Tuned | None = None, **options: Any) -> None:
        """`tuned`: how a back-test may fit it; None: it does not."""
        super().__init__(metadata={"meaning": meaning}, **options)
        self.tuned = tuned

    def written(self, value: Any) -> Any:
        """What the file says where this was loaded: the inverse of reading it."""
        return value
