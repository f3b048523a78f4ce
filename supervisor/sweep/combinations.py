"""What a sweep runs: each combination of the values, under a name that tells it from the others."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

from shared.config.changes import Change, refuse_repeated
from shared.errors import ConfigurationError
from shared.folder_names import escaped
from supervisor.sweep.values import Swept

MOST = 1000
_LONGEST_BYTES = 200  # a file system takes 255, and names of beside it need some
_HASH_LETTERS = 8


class Combination(NamedTuple):
    """One value of each key."""

    changes: tuple[Change, ...]

    @property
    def title(self) -> str:
        """As people read it: `trigger.every=2000,strategy.name=new_data`."""
        return ",".join(f"{one.key}={one.text}" for one in self.changes)

    @property
    def name(self) -> str:
        """The title as the name of a folder."""
        return folder_name(self.title)


def folder_name(title: str) -> str:
    """A title as a folder may be called; a long one is cut, and ends with a hash of the whole."""
    safe = escaped(title)
    if len(safe.encode()) <= _LONGEST_BYTES:
        return safe
    digest = hashlib.sha256(title.encode()).hexdigest()[:_HASH_LETTERS]
    return f"{_cut(safe, _LONGEST_BYTES - _HASH_LETTERS - 1)}~{digest}"


def combinations(settings: Sequence[Swept]) -> list[Combination]:
    """All of them, the last key's values changing first.

    Raises ConfigurationError for a key that is set twice, for a value that stands twice, and for too many.
    """
    refuse_repeated([one.key for one in settings])
    count = math.prod(len(one.texts) for one in settings)
    if count > MOST:
        raise ConfigurationError(
            f"These are {count:,} combinations, and a sweep has {MOST:,} at most; take fewer values."
        )
    for one in settings:
        twice = next((text for text in one.texts if one.texts.count(text) > 1), None)
        if twice is not None:
            raise ConfigurationError(f"--set {one.key}: {twice} stands there twice; keep one of them.")
    columns = [[Change(one.key, text) for text in one.texts] for one in settings]
    return [Combination(tuple(row)) for row in itertools.product(*columns)]


def _cut(text: str, most_bytes: int) -> str:
    return text.encode()[:most_bytes].decode(errors="ignore")
