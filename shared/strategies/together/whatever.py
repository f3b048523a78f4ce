"""What may be said of a strategy whatever it is: a warm-up, a new beginning at each trigger, balanced labels."""

from __future__ import annotations

from shared.config.pipeline import TrainingStrategy
from shared.strategies.plain.balanced import Balanced
from shared.strategies.strategy import CurrentModel, Piece, Pieces, Request, State, Strategy, unweighted
from shared.strategies.together.members import model_for
from shared.strategies.together.narrowed import since_previous
from shared.strategies.together.stages import Stages
from shared.training_rule import TrainingRule

_BY_LABEL = {"by": "label", "of": "new", "tail": 0, "limit": None, "seed": None}


def whatever_it_is(strategy: Strategy, said: TrainingStrategy) -> Strategy:
    """The strategy, with what is said of it beside its options."""
    if said.balance == "label":
        strategy = Stages([strategy, Balanced(_BY_LABEL)])
    if said.warm_up or said.reset_on_trigger:
        strategy = Around(strategy, warm_up=said.warm_up, resets=said.reset_on_trigger)
    return strategy


class Around(Strategy):
    """A strategy that is trained on all data at first, or begins anew at each trigger; or both, which keep apart.

    A warm-up knows no limit. The strategy stands by and observes meanwhile.
    A new beginning leaves no state, and shows the strategy only rows that were not known at the previous trigger.
    """

    def __init__(self, inner: Strategy, *, warm_up: int, resets: bool) -> None:
        """`warm_up`: so many first triggers, of those that select something."""
        self._inner, self._warm_up, self._resets = inner, warm_up, resets
        self.columns, self.wants_labels = inner.columns, inner.wants_labels
        self.reads_model, self.weighs = inner.reads_model, inner.weighs
        self.earlier_triggers = inner.earlier_triggers
        self.selects_all = warm_up > 0 or (inner.selects_all and not resets)
        self.selects_at_most = None if warm_up else inner.selects_at_most
        self.forgets_triggers = inner.forgets_triggers and not warm_up and not resets

    @property
    def observes(self) -> bool:
        """As the strategy's."""
        return self._inner.observes

    @property
    def rules(self) -> bool:
        """As the strategy's."""
        return self._inner.rules

    def reads_model_at(self, turn: int) -> bool:
        """Whether the strategy does, once it selects."""
        return turn >= self._warm_up and self._inner.reads_model_at(turn)

    def part_at(self, turn: int) -> str | None:
        """The warm-up at first."""
        return "warm_up" if turn < self._warm_up else self._inner.part_at(turn)

    def observe(self, piece: Piece, state: State) -> State:
        """The strategy's."""
        return self._inner.observe(piece, state)

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """All that is known, or what the strategy selects."""
        if request.turn < self._warm_up:
            after = None if self._resets else self._inner.stood_by(request, state, all_rows=True)
            return unweighted(request.rows(None)), after
        asked = since_previous(request) if self._resets else request
        pieces, kept = self._inner.select(asked, state, model_for(self._inner, request, model))
        return pieces, None if self._resets else kept

    def rule(self, request: Request) -> TrainingRule | None:
        """The strategy's, once it selects."""
        return None if request.turn < self._warm_up else self._inner.rule(request)
