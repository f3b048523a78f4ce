"""Words of sentences for people: which known one somebody may have meant, and how verbs and nouns go with numbers."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def meant(word: str, known: Iterable[str]) -> str | None:
    """The known word that is nearest to this one; None if none is near, or several are as near."""
    names = sorted(set(known))
    same = [name for name in names if name.casefold() == word.casefold()]
    if len(same) == 1:
        return same[0]
    near = difflib.get_close_matches(word, names, 2)
    if len(near) == 2 and _nearness(word, near[0]) == _nearness(word, near[1]):
        return None
    return near[0] if near else None


def _nearness(word: str, known: str) -> float:
    return difflib.SequenceMatcher(None, known, word).ratio()  # in the order in which difflib itself compares


def counted(number: int, noun: str, several: str | None = None) -> str:
    """`1 row`, `2,000 rows`; `several`: the noun of more than one, where that has not just an s more."""
    return f"{number:,} {noun if number == 1 else several or f'{noun}s'}"


def listed(words: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *before, last = words
    return f"{', '.join(before)} and {last}" if before else last


def ending(count: int) -> str:
    """Of a verb: one *occurs*, two *occur*."""
    return "s" if count == 1 else ""
