"""A format of times as strptime has it: what it is made of, and the regular expression of the texts that it reads.

Names of months and days are English, whatever the locale. What stands beside another number must have all its digits,
as `%Y%m%d` of 2024111 could be two days. All else is read as Python's strptime reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

WIDTHS = {"Y": 4, "y": 2, "m": 2, "d": 2, "j": 3, "H": 2, "I": 2, "M": 2, "S": 2}  # digits; of %f there are 1 to 9
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")  # what a name begins with
_LOOSE = {
    "Y": r"\d{4}", "y": r"\d\d", "m": r"1[0-2]|0?[1-9]", "d": r"3[01]|[12]\d|0?[1-9]| [1-9]",
    "j": r"36[0-6]|3[0-5]\d|[12]\d\d|0?[1-9]\d|0{0,2}[1-9]", "H": r"2[0-3]|[01]?\d", "I": r"1[0-2]|0?[1-9]",
    "M": r"[0-5]?\d", "S": r"[0-5]?\d", "f": r"\d{1,9}",
}  # fmt: skip
_FULL = {
    **_LOOSE, "m": r"1[0-2]|0[1-9]", "d": r"3[01]|[12]\d|0[1-9]", "j": r"36[0-6]|3[0-5]\d|[12]\d\d|0[1-9]\d|00[1-9]",
    "H": r"2[0-3]|[01]\d", "I": r"1[0-2]|0[1-9]", "M": r"[0-5]\d", "S": r"[0-5]\d",
}  # fmt: skip
_NAME_OF_MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t|tember)?|oct(?:ober)?|"
    "nov(?:ember)?|dec(?:ember)?"
)
_NAME_OF_DAY = "mon(?:day)?|tue(?:s|sday)?|wed(?:nesday)?|thu(?:r|rs|rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?"
_WORDS = {
    "b": _NAME_OF_MONTH, "B": _NAME_OF_MONTH, "a": _NAME_OF_DAY, "A": _NAME_OF_DAY, "p": "am|pm",
    "z": r"z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d(?::?[0-5]\d)?)?", "Z": "utc|ut|gmt|z",
}  # fmt: skip
_INSTEAD = {
    "T": "%H:%M:%S", "R": "%H:%M", "F": "%Y-%m-%d", "D": "%m/%d/%y", "e": "%d", "h": "%b", "k": "%H", "l": "%I",
    "N": "%f", "L": "%f", "-": "it without `-`: one digit is read, too", "#": "it without `#`: one digit is read, too",
    "s": "`unit: s` instead of a format, as these are numbers",
}  # fmt: skip
_TWICE = (("Y", "y"), ("b", "B"), ("m", "b"), ("m", "B"), ("a", "A"), ("H", "I"), ("z", "Z"), ("j", "d"), ("j", "m"))
_NEEDS = {"d": "mbB", "M": "HI", "S": "M", "f": "S", "p": "I", "I": "p"}


class Part(NamedTuple):
    """A directive, or what stands between two."""

    directive: str  # its letter; empty for what stands there as it is
    literal: str = ""


@lru_cache(maxsize=64)
def parts_of(written: str) -> tuple[Part, ...]:
    """What a format is made of. Raises ValueError, with a sentence, for one that says no moment."""
    parts = []
    for found in re.finditer(r"%(.?)|[^%]+", written, re.DOTALL):
        if found[0] == "%":
            raise ValueError("it ends in the middle of a directive; write %% for a % that stands in the times")
        is_literal = found[1] in (None, "%")
        parts.append(Part("", found[0].replace("%%", "%")) if is_literal else Part(found[1]))
    for sentence in _mistakes([part.directive for part in parts if part.directive]):
        raise ValueError(sentence)
    return tuple(parts)


def _mistakes(letters: list[str]) -> Iterator[str]:
    known = ["Y", "y", "m", "b", "B", "d", "j", "H", "I", "p", "M", "S", "f", "z", "Z", "a", "A"]
    for letter in letters:
        if letter not in known:
            instead = (
                f"write {_INSTEAD[letter]}" if letter in _INSTEAD else f"known: {', '.join(f'%{k}' for k in known)}"
            )
            yield f"%{letter} is no directive here; {instead}"
        elif letters.count(letter) > 1:
            yield f"%{letter} stands in it twice; keep one"
    for one, other in _TWICE:
        if one in letters and other in letters:
            yield f"%{one} and %{other} say the same; keep one"
    if not {"Y", "y"} & set(letters):
        yield "it says no year; add %Y, or %y where it has two digits"
    for letter, others in _NEEDS.items():
        if letter in letters and not set(others) & set(letters):
            needed = " or ".join(f"%{one}" for one in others)
            instead = "; write %H for hours up to 23" if letter == "I" else ""
            yield f"%{letter} says nothing without {needed}{instead}"


def names_zone(written: str) -> bool:
    """Whether each time says its own zone."""
    return any(part.directive in ("z", "Z") for part in parts_of(written) if part.directive)


@lru_cache(maxsize=1024)
def pattern(written: str) -> str:
    """The expression of a whole text, for RE2 and Python's re (with re.ASCII); groups are the directives' letters."""
    parts, found = parts_of(written), []
    for number, part in enumerate(parts):
        beside = [parts[near].directive for near in (number - 1, number + 1) if 0 <= near < len(parts)]
        if not part.directive:
            found += [_literal(part.literal)]
        elif part.directive in _WORDS:
            found += [f"(?P<{part.directive}>{_WORDS[part.directive]})"]
        else:
            digits = _FULL if any(one in _LOOSE for one in beside if one) else _LOOSE
            found += [f"(?P<{part.directive}>{digits[part.directive]})"]
    return f"(?i)^{''.join(found)}$"


def _literal(text: str) -> str:
    """Blanks stand for any number of blanks, as in Python."""
    return "".join(r"\s+" if one.isspace() else re.escape(one) for one in re.split(r"(\s+)", text) if one)


def digits_alone(written: str) -> int:
    """How many digits a text has where the format is of digits alone, all padded; 0 where it is not."""
    letters = [part.directive for part in parts_of(written)]
    return sum(WIDTHS[letter] for letter in letters) if all(letter in WIDTHS for letter in letters) else 0
