"""The values of a setting that is swept: YAML, split at commas that stand outside of brackets and quotes."""

from __future__ import annotations

from typing import NamedTuple

from shared.config.changes import split_setting
from shared.errors import ConfigurationError

_CLOSES = {"[": "]", "{": "}"}
_QUOTES = "'\""


class Swept(NamedTuple):
    """A key, and the texts of its values as they were typed."""

    key: str
    texts: tuple[str, ...]


def swept(typed: str) -> Swept:
    """What `--set KEY=A,B` sweeps. Raises ConfigurationError."""
    key, text = split_setting(typed)
    texts = split_values(text, f"--set {typed}")
    if not all(texts):
        raise ConfigurationError(f"--set {typed}: has an empty value; remove the comma, or write null for none.")
    return Swept(key, tuple(texts))


def split_values(text: str, where: str = "") -> list[str]:
    """Its parts, without spaces around them. Raises ConfigurationError for a bracket or quote that stays open.

    >>> split_values("{name: uniform, config: {limit: 500}}, 'a, b', 3")
    ['{name: uniform, config: {limit: 500}}', "'a, b'", '3']
    """
    parts, part, open_ones, quote, closed_at = [], "", "", "", -1
    for number, letter in enumerate(text):
        if quote:
            if letter == quote and not (quote == '"' and _is_escaped(text, number)):
                quote, closed_at = "", number
        elif letter in _QUOTES and (_may_begin(part) or (letter == "'" and closed_at == number - 1)):  # '' stands for '
            quote = letter
        elif letter in _CLOSES:
            open_ones += _CLOSES[letter]
        elif open_ones and letter == open_ones[-1]:
            open_ones = open_ones[:-1]
        elif letter == "," and not open_ones:
            parts.append(part.strip())
            part = ""
            continue
        part += letter
    if open_ones or quote:
        raise ConfigurationError(f"{where}: {quote or open_ones[-1]} is missing; close what was opened.")
    return [*parts, part.strip()]


def _may_begin(part: str) -> bool:
    """Whether a quote would begin a text here: within a word it is an apostrophe."""
    before = part.rstrip()
    return not before or before[-1] in "[{,:"


def _is_escaped(text: str, number: int) -> bool:
    """Whether an odd number of backslashes stands before."""
    before = text[:number]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1
