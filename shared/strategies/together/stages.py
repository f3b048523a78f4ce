"""Strategies one behind the other, as one."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from shared.strategies.draws import seed_at
from shared.strategies.strategy import CurrentModel, Keys, Piece, Pieces, Request, State, Strategy
from shared.strategies.together.members import Together, model_for, shown, state_of, states_of
from shared.strategies.together.narrowed import Heard, narrowed
from shared.training_rule import TrainingRule

Sums = npt.NDArray[np.float64]  # (n,), what each row weighs


class Stages(Together):
    """Each selects from the rows that the one before it selected; the first alone may observe.

    A row's weights are multiplied, so that the mean over the lines of weight × gradient goes on estimating the mean of
    the rows that the first chose from. Where one draws rows repeatedly, the next sees each once, with the weight of all
    its lines. In memory for what all but the last select. State: that of each.
    """

    def __init__(self, stages: Sequence[Strategy]) -> None:
        super().__init__(stages)
        self.selects_all, self.evens_labels = stages[0].selects_all, stages[-1].evens_labels
        self.forgets_triggers = all(one.forgets_triggers for one in stages)
        limits = [one.selects_at_most for one in stages if one.selects_at_most is not None]
        self.selects_at_most = min(limits, default=None)

    @property
    def observes(self) -> bool:
        """Whether the first does."""
        return self._members[0].observes

    @property
    def rules(self) -> bool:
        """Whether the last may give a rule."""
        return self._members[-1].rules

    def reads_model_at(self, turn: int) -> bool:
        """Whether one of them does."""
        return any(one.reads_model and one.reads_model_at(turn) for one in self._members)

    def part_at(self, turn: int) -> str | None:
        """The first's; what comes behind is always the same."""
        return self._members[0].part_at(turn)

    def observe(self, piece: Piece, state: State) -> State:
        """The first's."""
        first, states = self._members[0], states_of(state, self._members)
        return state_of([first.observe(shown(piece, first), states[0]), *states[1:]])

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """All but the last select now; the last, whose pieces may be lazy, from what is left."""
        states, heard = states_of(state, self._members), Heard(request)
        first, *others = self._members
        pieces, states[0] = first.select(heard.request, states[0], model_for(first, request, model))
        keys, weights = _rows_of(pieces)
        remembered = first.observes or states[0] is not None  # then rows may be older than those that it asked for
        for number, stage in enumerate(others, 1):
            asked = narrowed(_at(request, number), keys, None if remembered else heard.triggers)
            pieces, states[number] = stage.select(asked, states[number], model_for(stage, request, model))
            if number == len(others):
                break
            chosen, factors = _rows_of(pieces)
            keys, weights = chosen, factors * weights[_places(chosen, keys)]
        return _multiplied(pieces, keys, weights), state_of(states)

    def stood_by(self, request: Request, state: State, *, all_rows: bool) -> State:
        """Each does."""
        states = zip(self._members, states_of(state, self._members), strict=True)
        return state_of([one.stood_by(request, kept, all_rows=all_rows) for one, kept in states])

    def rule(self, request: Request) -> TrainingRule | None:
        """The last's."""
        return self._members[-1].rule(_at(request, len(self._members) - 1))


def _at(request: Request, stage: int) -> Request:
    """The request as one of the later stages gets it: nothing is drawn by it as by another."""
    return msgspec.structs.replace(request, seed=seed_at(request.seed, stage), stage=stage)


def _rows_of(pieces: Pieces) -> tuple[Keys, Sums]:
    """The rows of a choice, each once. The mean over them of weight × gradient is what it was over the lines."""
    found = list(pieces)
    lines = np.concatenate([np.empty(0, np.int64), *(keys for keys, _ in found)])
    weights = np.concatenate([np.empty(0, np.float64), *(some for _, some in found)])
    firsts = np.flatnonzero(np.concatenate([[True], lines[1:] != lines[:-1]])[: len(lines)])
    if len(firsts) == len(lines):
        return lines, weights
    return lines[firsts], np.add.reduceat(weights, firsts) * (len(firsts) / len(lines))


def _multiplied(pieces: Pieces, keys: Keys, weights: Sums) -> Pieces:
    """The lines of the last stage, each with the weight, too, that its row had before."""
    for some, factors in pieces:
        yield some, (factors * weights[_places(some, keys)]).astype(np.float32)


def _places(some: Keys, keys: Keys) -> npt.NDArray[np.int64]:
    """Where rows stand among ascending ones. Raises ValueError for one that does not."""
    places = np.searchsorted(keys, some)
    strange = places == len(keys)
    strange[~strange] = keys[places[~strange]] != some[~strange]
    if strange.any():
        raise ValueError(f"a stage chose key {some[strange][0]}, which the stage before it had not selected")
    return places
