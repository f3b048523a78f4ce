"""Strategy balanced."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from marshmallow import ValidationError

from shared.config import fields as f
from shared.split import seeds_of_column
from shared.strategies.common import From, Limited, Seeded, SelectsFrom, seed_of
from shared.strategies.draws import draws_of
from shared.strategies.fair_share import shares
from shared.strategies.strategy import CurrentModel, Keys, Pieces, Request, State, unweighted

Groups = npt.NDArray[np.uint64]  # (n,), a number each
Places = npt.NDArray[np.int64]  # (n,), of each row's group among all, ascending
Grouped = Callable[[], Iterator[tuple[Keys, Groups]]]

_MOST_GROUPS = 65_536


class Balanced(SelectsFrom):
    """As many rows of each label, or of each of some triggers, as far as there are so many; within one at random.

    Without `limit` each group gives as many rows as the smallest has. With it, all give up to one level, the highest
    that `limit` rows fill: what a small group lacks goes to the others.
    """

    class Schema(From, Limited, Seeded):
        """Its options."""

        by = f.Choice(
            "what makes a group: a label, or the trigger at which rows were new, of this one and those of `tail`",
            "label",
            "trigger",
            required=True,
        )

        @f.validates_schema
        def _several_triggers(self, data: Mapping[str, Any], **kwargs: Any) -> None:
            if data.get("by") != "trigger":
                return
            if data.get("of") == "all":
                sentence = "all cannot be balanced by trigger; write `tail: 9` for the rows of ten triggers."
                raise ValidationError({"of": [sentence]})
            if data.get("tail") == 0:
                told = "is 0, and one trigger alone has nothing to be balanced with; write `tail: 9` for ten of them."
                raise ValidationError({"tail": [told]})

    @classmethod
    def balances_by(cls, options: Mapping[str, Any]) -> str | None:
        """By label, but not by trigger."""
        return "by" if options["by"] == "label" else None

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        self.evens_labels = options["by"] == "label" and options["limit"] is None
        self.forgets_triggers = options["by"] == "label"

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """The rows are read twice: counted, then chosen."""

        def rows() -> Iterator[tuple[Keys, Groups]]:
            return self._grouped(request)

        return unweighted(iter([_chosen(rows, self._options["limit"], seed_of(self._options, request))])), state

    def _grouped(self, request: Request) -> Iterator[tuple[Keys, Groups]]:
        triggers = self._triggers
        if self._options["by"] == "label":
            for keys, labels in request.labelled(triggers):
                yield keys, seeds_of_column(labels) if len(keys) else np.empty(0, np.uint64)
        else:
            assert triggers is not None
            for keys in request.rows(triggers):
                yield keys, request.seen(keys, triggers).astype(np.uint64)


def _chosen(rows: Grouped, limit: int | None, seed: int) -> Keys:
    """Of each group those with the smallest draws; ascending. In memory for twice what is chosen, and a piece."""
    names, counts = _counted(rows())
    shared = np.full_like(counts, counts.min()) if limit is None and len(counts) else shares(counts, limit or 0)
    room, there = 2 * int(shared.sum()), 0
    parts: list[tuple[Keys, Places]] = []
    for keys, groups in rows():
        parts.append((keys, np.searchsorted(names, groups)))
        there += len(keys)
        if there > room:
            parts = [_first_of_each(parts, shared, seed)]
            there = len(parts[0][0])
    return np.sort(_first_of_each(parts, shared, seed)[0])


def _counted(rows: Iterator[tuple[Keys, Groups]]) -> tuple[Groups, npt.NDArray[np.int64]]:
    """The groups, ascending, and how many rows each has. Raises ValueError for more than can be balanced."""
    found: dict[int, int] = {}
    for _, groups in rows:
        for name, count in zip(*np.unique(groups, return_counts=True), strict=True):
            found[int(name)] = found.get(int(name), 0) + int(count)
        if len(found) > _MOST_GROUPS:
            raise ValueError(
                f"there are more than {_MOST_GROUPS:,} labels, which are no classes; balance by trigger, or not at all."
            )
    names = sorted(found)
    return np.array(names, np.uint64), np.array([found[name] for name in names], np.int64)


def _first_of_each(
    parts: Sequence[tuple[Keys, Places]], shared: npt.NDArray[np.int64], seed: int
) -> tuple[Keys, Places]:
    """So many rows of each group, those with the smallest draws."""
    keys = np.concatenate([np.empty(0, np.int64), *(some for some, _ in parts)])
    groups = np.concatenate([np.empty(0, np.int64), *(some for _, some in parts)])
    order = np.lexsort((draws_of(keys, seed), groups))
    keys, groups = keys[order], groups[order]
    ranks = np.arange(len(groups)) - np.searchsorted(groups, groups)
    kept = ranks < shared[groups]
    return keys[kept], groups[kept]
