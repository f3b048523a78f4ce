"""A request cut to some of its rows, for whoever is to choose among these."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from shared.strategies.strategy import Keys, Request

_ROWS_AT_ONCE = 65_536


def narrowed(request: Request, keys: Keys, triggers: int | None) -> Request:
    """The same, of these rows alone, ascending and each once, however many triggers one goes back.

    `triggers`: all of the rows are among those of so many triggers before (None: of all), which are read where times
    or labels are asked for.
    """

    def pieces(_: int | None) -> Iterator[Keys]:
        return (keys[start : start + _ROWS_AT_ONCE] for start in range(0, len(keys), _ROWS_AT_ONCE))

    return msgspec.structs.replace(
        request,
        rows=pieces,
        timed=lambda _: _cut(request.timed, keys, triggers),
        labelled=lambda _: _cut(request.labelled, keys, triggers),
    )


def since_previous(request: Request) -> Request:
    """The same, of rows that were not known at the previous trigger, whatever is asked for."""
    return msgspec.structs.replace(
        request,
        rows=lambda _: request.rows(1),
        timed=lambda _: request.timed(1),
        labelled=lambda _: request.labelled(1),
    )


class Heard:
    """A request, and the farthest that anybody went back in it; None: to all."""

    def __init__(self, request: Request) -> None:
        self.triggers: int | None = 1
        self.request = msgspec.structs.replace(
            request, rows=self._of(request.rows), timed=self._of(request.timed), labelled=self._of(request.labelled)
        )

    def _of(self, ask: Callable[[int | None], Any]) -> Callable[[int | None], Any]:
        def asked(triggers: int | None) -> Any:
            farther = triggers is not None and self.triggers is not None
            self.triggers = max(triggers or 0, self.triggers or 0) if farther else None
            return ask(triggers)

        return asked


def _cut(ask: Callable[[int | None], Iterator[Any]], keys: Keys, triggers: int | None) -> Iterator[Any]:
    """Pieces of (keys, a column), of these keys alone."""
    for some, column in ask(triggers):
        kept = _among(some, keys)
        values = column if isinstance(column, np.ndarray) else None
        yield some[kept], column.filter(kept) if values is None else values[kept]


def _among(some: Keys, keys: Keys) -> npt.NDArray[np.bool_]:
    """Which of some are among ascending keys."""
    if not len(keys):
        return np.zeros(len(some), np.bool_)
    found: npt.NDArray[np.bool_] = keys[np.minimum(np.searchsorted(keys, some), len(keys) - 1)] == some
    return found
