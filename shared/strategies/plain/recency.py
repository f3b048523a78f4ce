"""Strategy recency."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.config import fields as f
from shared.strategies.newest import counted, newest
from shared.strategies.strategy import CurrentModel, Keys, Pieces, Request, State, Strategy, Times
from shared.timestamps import MICROSECONDS_PER_S

_MOST_HALVINGS = 100  # beyond that, 1e-30 of the newest row's weight is 0 to a float32

Timed = Callable[[], Iterator[tuple[Keys, Times]]]


class Recency(Strategy):
    """All rows, each with half the weight of one that is a `half_life` of event time newer; the mean weight is 1.

    So the mean over the lines of weight × gradient is the weighted mean of the rows' gradients, and a learning rate
    means the same however long the stream has been. Rows older than 100 half-lives weigh nothing, and are left out.
    """

    selects_all, weighs, forgets_triggers = True, True, True

    class Schema(f.Group):
        """Its options."""

        limit = f.Whole("rows that are selected at most: the newest, as they weigh most", load_default=None)
        half_life_s = f.Duration("event time in which a row's weight halves", data_key="half_life", required=True)

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.selects_at_most = self._limit = options["limit"]
        self._half_life_us = options["half_life_s"] * MICROSECONDS_PER_S

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """The rows are read twice, as a weight depends on all."""
        if self._limit is None:
            return self._weighted(lambda: request.timed(None), request), state
        there, limit = counted(request.rows(None)), self._limit
        return self._weighted(lambda: newest(request.timed(None), there, limit), request), state

    def _weighted(self, rows: Timed, request: Request) -> Pieces:
        total, count, now_us = 0.0, 0, request.labelled_us()
        for _, weights in self._halved(rows, now_us):
            total, count = total + float(weights.sum()), count + len(weights)
        if not count:
            return
        for keys, weights in self._halved(rows, now_us):
            yield keys, (weights * (count / total)).astype(np.float32)

    def _halved(self, rows: Timed, now_us: int) -> Iterator[tuple[Keys, npt.NDArray[np.float64]]]:
        for keys, times_us in rows():
            halvings = (now_us - times_us) / self._half_life_us
            recent = halvings <= _MOST_HALVINGS
            yield keys[recent], np.exp2(-halvings[recent])
