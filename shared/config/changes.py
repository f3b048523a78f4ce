"""`--set KEY=VALUE`: what the command line puts into the place of what pipeline.yaml says, for one run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from shared.errors import ConfigurationError


class Change(NamedTuple):
    """One setting, as it was typed."""

    key: str  # dotted; entries of a list by number: evaluation.metrics.0
    text: str  # YAML

    def __str__(self) -> str:
        return f"--set {self.key}={self.text}"

    def is_about(self, key_path: str) -> bool:
        """Whether a key is this one, or stands below it."""
        return f"{key_path}.".startswith(f"{self.key}.")


def changes_of(typed: Iterable[str]) -> tuple[Change, ...]:
    """The settings behind each `--set`. Raises ConfigurationError for what is none, and for two that are of one key."""
    found = tuple(map(_change, typed))
    refuse_repeated([one.key for one in found])
    return found


def split_setting(typed: str) -> tuple[str, str]:
    """Key and text of `KEY=VALUE`. Raises ConfigurationError."""
    key, equals, text = typed.partition("=")
    key = key.strip()
    if not equals or not all(key.split(".")):
        raise ConfigurationError(f"--set {typed}: is no setting; write KEY=VALUE, such as --set trigger.every=2000.")
    return key, text.strip()


def refuse_repeated(keys: Sequence[str]) -> None:
    """Raise ConfigurationError for a key that is set twice, by itself or with a group that it stands in."""
    for number, key in enumerate(keys):
        for other in (*keys[:number], *keys[number + 1 :]):
            if other == key:
                raise ConfigurationError(f"--set {key} is given twice; keep one of them.")
            if key.startswith(f"{other}."):
                raise ConfigurationError(f"--set {key} stands within --set {other}; write it into that one's value.")


def put(values: dict[str, Any], key: str, value: Any) -> str | None:
    """Put a value at a dotted key, making the groups that it stands in; what is wrong with the key, if it has no place.

    >>> put(settings := {"trigger": {"every": 700}}, "trigger.every", 2000), settings
    (None, {'trigger': {'every': 2000}})
    """
    within: Any = values
    *way, last = key.split(".")
    for depth, part in enumerate(way):
        at = ".".join(way[:depth])
        if told := _wrong_place(within, part, at):
            return told
        inner = within[int(part)] if isinstance(within, list) else within.get(part)
        if inner is None:  # absent, or an empty group
            inner = {}
            within[int(part) if isinstance(within, list) else part] = inner
        within = inner
    if told := _wrong_place(within, last, ".".join(way)):
        return told
    within[int(last) if isinstance(within, list) else last] = value
    return None


def _change(typed: str) -> Change:
    return Change(*split_setting(typed))


def _wrong_place(within: Any, part: str, at: str) -> str | None:
    """Why nothing can be put there."""
    if isinstance(within, dict):
        return None
    if not isinstance(within, list):
        return f"{at} is {within!r} in the file, so nothing stands below it; set {at} itself."
    if part.isascii() and part.isdecimal() and int(part) < len(within):
        return None
    entries = "one entry, which is 0" if len(within) == 1 else f"{len(within)} entries, from 0 to {len(within) - 1}"
    return f"{at} is a list of {entries}; name one by its number, or set {at} itself."
