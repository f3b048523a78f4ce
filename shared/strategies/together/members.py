"""The strategies of which others are made: what each is shown of rows, and what each keeps, by its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from shared.plugins import STRATEGIES
from shared.strategies.strategy import CurrentModel, Piece, Request, State, Strategy


class Together(Strategy):
    """The base of those that are made of others: what one of these needs, it needs."""

    def __init__(self, members: Sequence[Strategy]) -> None:
        self._members = members
        self.columns = tuple(dict.fromkeys(column for one in members for column in one.columns))
        self.wants_labels = any(one.wants_labels for one in members)
        self.reads_model = any(one.reads_model for one in members)
        self.weighs = any(one.weighs for one in members)
        self.recalls = any(one.recalls for one in members)
        self.earlier_triggers = max(one.earlier_triggers for one in members)


def members_of(blocks: Iterable[Mapping[str, Any]]) -> list[Strategy]:
    """Those that these groups name, as `NestedStrategy` loads them. Raises ConfigurationError."""
    return [STRATEGIES[block["name"]](block["options"]) for block in blocks]


def shown(piece: Piece, member: Strategy) -> Piece:
    """What one of them is to see of rows that all do."""
    rows = None if piece.rows is None or not member.columns else piece.rows.select(list(member.columns))
    return msgspec.structs.replace(piece, rows=rows, labels=piece.labels if member.wants_labels else None)


def model_for(member: Strategy, request: Request, model: CurrentModel | None) -> CurrentModel | None:
    """The current model, if it asks that now."""
    return model if member.reads_model and member.reads_model_at(request.turn) else None


def states_of(state: State, members: Sequence[Strategy]) -> list[State]:
    """What each keeps; None for all before anything is kept."""
    return [None] * len(members) if state is None else list(state)


def state_of(states: Sequence[State]) -> State:
    """All of these; None if nobody keeps anything."""
    return list(states) if any(one is not None for one in states) else None
