"""Options that several strategies have, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from shared.strategies.draws import Keys, drawn, seed_at
from shared.strategies.strategy import Request, Strategy

MOST_TRIGGERS = 1_000_000  # that an option may go back


class Limited(f.Group):
    """Of a strategy that selects so many rows at most."""

    limit = f.Whole("rows that are selected at most, however many there are", load_default=None)


class Seeded(f.Group):
    """Of one that draws rows at random."""

    seed = f.Whole("seed of the draw; without it training.seed", least=0, load_default=None)


class From(f.Group):
    """Of one that selects from what is new, or from all."""

    of = f.Choice("from which rows: those since the previous trigger, or all", "new", "all", load_default="new")
    tail = f.Whole(
        "previous triggers whose rows are selected from as well", least=0, most=MOST_TRIGGERS, load_default=0
    )

    @f.validates_schema
    def _tail_of_new(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if data.get("of") == "all" and data.get("tail"):
            raise ValidationError({"tail": ["has no meaning with `of: all`, which are all rows; remove one of them."]})


class Sized(From, Limited):
    """Of one that selects a share of the rows, or so many of them."""

    fraction = f.PositiveNumber("the share of the rows that is selected, above 0 and at most 1", load_default=None)

    @f.validates_schema
    def _some_size(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        fraction = data.get("fraction")
        if fraction is None and data.get("limit") is None:
            raise ValidationError({"fraction": ["is missing, and so is limit; write one or both."]})
        if fraction is not None and fraction > 1:
            raise ValidationError({"fraction": [f"{fraction:g} is more than all; write a share, such as 0.5."]})


class SelectsFrom(Strategy):
    """The base of those that have the options of `From` and `Limited`."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._triggers: int | None = None if options["of"] == "all" else options["tail"] + 1  # as a request is asked
        self.earlier_triggers = self._triggers or 1
        self.selects_all, self.selects_at_most = self._triggers is None, options["limit"]

    def _rows(self, request: Request) -> Iterator[Keys]:
        return request.rows(self._triggers)


def size_of(options: Mapping[str, Any], rows: int) -> int:
    """How many of so many rows are selected, one at least, for the options of `Sized`."""
    fraction, limit = options["fraction"], options["limit"]
    share = rows if fraction is None else max(round(fraction * rows), min(rows, 1))
    return share if limit is None else min(share, limit)


def seed_of(options: Mapping[str, Any], request: Request) -> int:
    """That of one trigger's draw, for the options of `Seeded`; no two stages of a pipeline have the same."""
    seed: int | None = options.get("seed")
    if seed is None:
        seed = request.seed
    elif request.stage:
        seed = seed_at(seed, request.stage)
    return seed_at(seed, request.trigger_key)


def limited(rows: Callable[[], Iterator[Keys]], options: Mapping[str, Any], request: Request) -> Iterator[Keys]:
    """The rows, or `limit` of them, drawn at random, for the options of `Limited` and `Seeded`."""
    limit = options.get("limit")
    return rows() if limit is None else drawn(rows, lambda n: min(n, limit), seed_of(options, request))


def sized(rows: Callable[[], Iterator[Keys]], options: Mapping[str, Any], request: Request) -> Iterator[Keys]:
    """A share of the rows, or so many of them, drawn at random, for the options of `Sized` and `Seeded`."""
    return drawn(rows, lambda n: size_of(options, n), seed_of(options, request))
