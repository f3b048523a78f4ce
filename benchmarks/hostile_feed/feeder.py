"""The producer: it writes files as producers do, and knows which rows it wrote whole and what was bad."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from benchmarks.hostile_feed.rows import Row, rows_from
from benchmarks.hostile_feed.scene import Scene

Wait = Iterator[float]  # seconds until the next step
_PATIENCE_S = 60.0
_LOOK_EVERY_S = 0.2
_DECORATIONS = ("", " ", "ä", " größe ", "[1]", "ß,")


class Bad(NamedTuple):
    """How often something bad may be told: so many reasons."""

    what: str
    least: int
    most: int


@dataclass
class Feeder:
    """Writes into the scene's folder. Names are unlike each other, and some are unusual."""

    scene: Scene
    random: Random
    whole: dict[str, list[Row]] = field(default_factory=dict)  # file → its rows, in order
    bad: dict[str, Bad] = field(default_factory=dict)  # file → what is bad about it, or was
    wrong: list[str] = field(default_factory=list)  # what a story has waited for in vain
    _names: int = 0

    def __post_init__(self) -> None:
        self._new_rows = rows_from(0)

    def rows(self, least: int = 4, most: int = 12) -> list[Row]:
        """Some that nobody has written yet."""
        return [next(self._new_rows) for _ in range(self.random.randint(least, most))]

    def name(self, stem: str, suffix: str) -> str:
        """The name of a new file; in no order, so that files come between those that are there."""
        self._names += 1
        return f"{self.random.randrange(1000):03}{self.random.choice(_DECORATIONS)}{stem}-{self._names}{suffix}"

    def put(self, name: str, body: bytes, rows: list[Row] | None = None) -> None:
        """A whole file, as it should be done: under a hidden name, which is changed then."""
        hidden = self.scene.data / ".hidden"
        hidden.write_bytes(body)
        if rows is not None:
            self.whole[name] = rows
        hidden.replace(self.scene.data / name)

    def append(self, name: str, body: bytes, rows: list[Row] | None = None) -> None:
        """More of a file, in place; `rows` are whole with it."""
        if rows is not None:
            self.whole[name] = [*self.whole.get(name, []), *rows]
        with (self.scene.data / name).open("ab") as file:
            file.write(body)

    def is_bad(self, name: str, what: str, least: int = 1, most: int = 1) -> None:
        """From now on this is to be told."""
        self.bad[name] = Bad(what, least, most)

    def until_told(self, name: str) -> Wait:
        """Wait until the log and an alert have named a file, and both commands show it."""
        yield from self._until(lambda: bool(self.scene.warnings(name)), f"{name}: not told in the log")
        yield from self._until(lambda: bool(self.scene.alerts(name)), f"{name}: no alert")
        yield from self.until_shown(name, True)

    def until_keyed(self, name: str) -> Wait:
        """Wait until all rows of a file that are whole have keys, and let nobody write meanwhile."""
        expected = len(self.whole[name])
        yield from self._until(lambda: self.scene.keyed()[name] >= expected, f"{name}: its whole rows get no keys")

    def until_shown(self, name: str, expected: bool) -> Wait:
        """Wait until `runs` and `fleet` show that a file is not read, or do not any more; not while the run is away."""
        word = "not shown" if expected else "still shown"
        both = (expected, expected)
        yield from self._until(lambda: self.scene.shown(name) == both, f"{name}: {word} by `runs` or `fleet`")

    def _until(self, is_so: Callable[[], bool], sentence: str) -> Wait:
        """Time in which no run goes on does not count."""
        left_s, before_s = _PATIENCE_S, time.monotonic()
        while left_s > 0:
            if self.scene.follows:
                if is_so():
                    return
                left_s -= time.monotonic() - before_s
            before_s = time.monotonic()
            yield _LOOK_EVERY_S
        self.wrong.append(sentence)
