"""A file of which some groups stand in another one: what is wrong there is told by that one's name and line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from shared.config.yaml_source import Source


class Graft(NamedTuple):
    """A group that stands elsewhere."""

    source: Source
    path: str  # the key there
    written: Any  # what it says, before the environment filled in `${NAME}`, and after
    value: Any


class Grafted(Source):
    """A pipeline.yaml with groups of another file in the place of its own, by their keys."""

    def __init__(self, stock: Source, grafts: Mapping[str, Graft]) -> None:
        self._stock, self._grafts = stock, grafts
        self.path = stock.path
        self.written = {**stock.written, **{key: one.written for key, one in grafts.items()}}
        self.values = {**stock.values, **{key: one.value for key, one in grafts.items()}}
        self.mistakes = tuple(one for one in stock.mistakes if self._graft(one[0]) is None)
        self.empty = tuple(one for one in stock.empty if self._graft(one) is None)
        for key, graft in grafts.items():
            here = graft.path
            self.empty += tuple(f"{key}{one[len(here) :]}" for one in graft.source.empty if _is_below(one, here))

    def is_mistaken(self, key_path: str) -> bool:
        """As in the file in which it stands."""
        graft = self._graft(key_path)
        return self._stock.is_mistaken(key_path) if graft is None else graft.source.is_mistaken(_at(graft, key_path))

    def line(self, key_path: str) -> int:
        """The same."""
        graft = self._graft(key_path)
        return self._stock.line(key_path) if graft is None else graft.source.line(_at(graft, key_path))

    def where(self, key_path: str) -> str:
        """The same."""
        graft = self._graft(key_path)
        return self._stock.where(key_path) if graft is None else graft.source.where(_at(graft, key_path))

    def told(self, key_path: str) -> str:
        """The same."""
        graft = self._graft(key_path)
        return self._stock.told(key_path) if graft is None else graft.source.told(_at(graft, key_path))

    def _graft(self, key_path: str) -> Graft | None:
        return self._grafts.get(key_path.partition(".")[0])


def _at(graft: Graft, key_path: str) -> str:
    """The key in the other file."""
    _, dot, rest = key_path.partition(".")
    return f"{graft.path}{dot}{rest}"


def _is_below(key_path: str, path: str) -> bool:
    return f"{key_path}.".startswith(f"{path}.")
