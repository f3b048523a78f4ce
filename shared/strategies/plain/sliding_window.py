"""Strategy sliding_window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from shared.strategies.common import Limited, Seeded, limited
from shared.strategies.newest import counted, newest
from shared.strategies.strategy import CurrentModel, Keys, Pieces, Request, State, Strategy, unweighted
from shared.timestamps import MICROSECONDS_PER_S


class SlidingWindow(Strategy):
    """The newest `rows` rows, or those of the `last` stretch of event time; with `limit` so many of them at random."""

    selects_all, forgets_triggers = True, True

    class Schema(Limited, Seeded):
        """Its options."""

        rows = f.Whole("so many of the newest rows", load_default=None)
        last_s = f.Duration(
            "the rows of so much event time up to the newest row whose label is known",
            data_key="last",
            load_default=None,
        )

        @f.validates_schema
        def _one_size(self, data: Mapping[str, Any], **kwargs: Any) -> None:
            if (data.get("rows") is None) == (data.get("last_s") is None):
                told = "is missing, and so is last" if data.get("rows") is None else "stands beside last"
                raise ValidationError({"rows": [f"{told}; write one of them, such as `rows: 10000` or `last: 30d`."]})

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        sizes = [size for size in (options["rows"], options["limit"]) if size is not None]
        self.selects_at_most = min(sizes, default=None)

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """The end of all that is known."""
        return unweighted(limited(lambda: self._window(request), self._options, request)), state

    def _window(self, request: Request) -> Iterator[Keys]:
        rows = self._options["rows"]
        if rows is not None:
            there = counted(request.rows(None))
            for (keys,) in newest(((keys,) for keys in request.rows(None)), there, rows):
                yield keys
            return
        after_us = request.labelled_us() - round(self._options["last_s"] * MICROSECONDS_PER_S)
        for keys, times_us in request.timed(None):
            yield keys[times_us > after_us]
