"""Strategy schedule."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from shared.config.schema.strategy import NestedStrategy
from shared.strategies.strategy import CurrentModel, Piece, Pieces, Request, State
from shared.strategies.together.members import Together, members_of, model_for, shown, states_of
from shared.training_rule import TrainingRule


class Turn(f.Group):
    """Beside each strategy of a schedule."""

    from_trigger = f.Whole(
        "from which trigger on it selects, of those that select something, counted from 0; the first one from 0 on",
        least=0,
        load_default=None,
    )


class Schedule(Together):
    """Strategies one after the other: from a certain trigger on the next one selects.

    Each that observes does so from the start, so that its memory is right when its turn comes, and until its turn is
    over. State: `over`, how many have had theirs; `states`, what each keeps.
    """

    class Schema(f.Group):
        """Its options."""

        strategies = f.Sequence(
            NestedStrategy("a strategy", beside=Turn, without=("schedule",), why="write its strategies here"),
            "the strategies, in the order of their turns",
            required=True,
        )

        @f.validates_schema
        def _in_order(self, data: Mapping[str, Any], **kwargs: Any) -> None:
            if len(data["strategies"]) == 1:
                raise ValidationError({"strategies": ["has one entry; write that strategy itself, or a second one."]})
            errors = _out_of_order([one["from_trigger"] for one in data["strategies"]])
            if errors:
                told = {number: {"from_trigger": [sentence]} for number, sentence in errors.items()}
                raise ValidationError({"strategies": told})

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(members_of(options["strategies"]))
        self._names = [one["name"] for one in options["strategies"]]
        self._starts = [one["from_trigger"] or 0 for one in options["strategies"]]
        self.selects_all = any(one.selects_all for one in self._members)
        self.evens_labels = all(one.evens_labels for one in self._members)
        limits = [one.selects_at_most for one in self._members]
        self.selects_at_most = None if None in limits else max(limit for limit in limits if limit is not None)

    @property
    def observes(self) -> bool:
        """Whether one of them does."""
        return any(one.observes for one in self._members)

    @property
    def rules(self) -> bool:
        """Whether one of them may give a rule."""
        return any(one.rules for one in self._members)

    def reads_model_at(self, turn: int) -> bool:
        """Whether the one does whose turn it is."""
        member = self._members[self._at(turn)]
        return member.reads_model and member.reads_model_at(turn)

    def part_at(self, turn: int) -> str | None:
        """The name of the one whose turn it is."""
        return str(self._names[self._at(turn)])

    def observe(self, piece: Piece, state: State) -> State:
        """Those that have not had their turn, and the one that has it."""
        over, states = self._kept(state)
        for number, member in enumerate(self._members):
            if member.observes and number >= over:
                states[number] = member.observe(shown(piece, member), states[number])
        return {"over": over, "states": states}

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """What the one whose turn it is selects. What those before it kept is dropped."""
        _, states = self._kept(state)
        now = self._at(request.turn)
        member = self._members[now]
        pieces, kept = member.select(request, states[now], model_for(member, request, model))
        later = self._standing_by(now + 1, request, states, all_rows=False)
        return pieces, self._keeping(now, [*([None] * now), kept, *later])

    def stood_by(self, request: Request, state: State, *, all_rows: bool) -> State:
        """Each does that has not had its turn."""
        over, states = self._kept(state)
        standing = self._standing_by(over, request, states, all_rows=all_rows)
        return self._keeping(over, [*states[:over], *standing])

    def rule(self, request: Request) -> TrainingRule | None:
        """That of the one whose turn it is."""
        return self._members[self._at(request.turn)].rule(request)

    def _at(self, turn: int) -> int:
        return bisect_right(self._starts, turn) - 1

    def _standing_by(self, first: int, request: Request, states: list[State], *, all_rows: bool) -> list[State]:
        others = zip(self._members[first:], states[first:], strict=True)
        return [one.stood_by(request, kept, all_rows=all_rows) for one, kept in others]

    def _keeping(self, over: int, states: list[State]) -> State:
        nothing = not self.observes and all(one is None for one in states)
        return None if nothing else {"over": over, "states": states}

    def _kept(self, state: State) -> tuple[int, list[State]]:
        over, states = (0, None) if state is None else (state["over"], state["states"])
        return over, states_of(states, self._members)


def _out_of_order(starts: Sequence[int | None]) -> dict[int, str]:
    """Number of an entry → what is wrong with the trigger from which on it selects."""
    told = {} if not starts[0] else {0: f"is {starts[0]}, and nothing selects before; remove it."}
    for number, (before, start) in enumerate(zip(starts, starts[1:], strict=False), 1):
        if start is None:
            told[number] = "is missing; write the trigger from which on this strategy selects."
        elif start <= (before or 0):
            told[number] = f"is {start}, and the strategy before it selects from {before or 0} on; write a later one."
    return told
