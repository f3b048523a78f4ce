"""What the classes 0, 1, 2… of a dataset's labels are called."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

_FEW = 10


class ClassNames(msgspec.Struct, frozen=True, kw_only=True):
    """The names of the first classes, in order."""

    names: tuple[str, ...]
    until: int | None  # the labels of all rows up to this key are among them; None: they were listed, and are all
    texts: bool = True  # labels are such names; else they are the numbers, and only called so


def told(names: Sequence[str]) -> str:
    """Names for people: a few of many."""
    few = ", ".join(map(repr, names[:_FEW]))
    return few if len(names) <= _FEW else f"{few} … ({len(names):,} in all)"
