"""Has a strategy choose: gives it the known rows of the train split, and writes down what it chose and was read."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from shared.blame import blaming
from shared.config.pipeline import Named
from shared.errors import TrainingError
from shared.messages.reports import Chosen
from shared.strategies.build import strategy_of
from shared.strategies.state import read_state, state_bytes
from shared.strategies.strategy import CurrentModel, Keys, Pieces, Request, State, Strategy
from shared.training_rule import TrainingRule
from shared.training_set import TrainingSetWriter
from workers.going_on import Interrupted
from workers.selection.choice import Mask, sound
from workers.selection.known import Known
from workers.selection.reader import Reader, Source


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """How a training set came about, and the last row that was really read for it."""

    rows_read: int
    watermark_key: int
    state: bytes | None  # what the strategy keeps for the next trigger
    rule: TrainingRule | None
    how: Chosen
    dropped: int  # rows without a label, of those that were not known at the previous trigger


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy is given beside the rows: what it kept at an earlier trigger, the current model, and a seed."""

    state: bytes | None = None
    model: CurrentModel | None = None
    seed: int = 0  # of the pipeline


def select(chosen: Named, known: Known, source: Source, memory: Memory, into: TrainingSetWriter) -> Selection:
    """Write `into` what the strategy chooses, as it chooses it; nothing where no row of the train split has become
    known since the previous trigger.

    Raises DataError if rows are missing, TrainingError if the strategy fails, chooses what it may not, or would keep
    what no state can hold, ArtifactError if the set cannot be written.
    """
    who, reader = f"strategy {chosen.name}", Reader(source, known)
    with blaming(who, TrainingError, but=Interrupted):
        strategy = strategy_of(chosen)
        request = _request(strategy, known, reader, memory.seed)
        pieces, state = strategy.select(request, _observed(strategy, reader, memory), memory.model)
        rule = strategy.rule(request)
        kept = None if state is None else state_bytes(state)
    may_choose = reader.may_choose if memory.state is None else reader.may_choose_again
    remembered = 0
    for keys, weights in _chosen(pieces, may_choose, who):
        into.write(keys, weights)
        if memory.state is not None:
            remembered += int((~reader.given_now(keys)).sum())
    if not reader.has_new():
        into.clear()
    reader.read_on()
    return Selection(
        rows_read=reader.rows_read,
        watermark_key=known.trigger_key,
        state=kept,
        rule=rule,
        how=_how(strategy, known.turn, memory, remembered) if into.rows else Chosen(),
        dropped=reader.dropped,
    )


def _chosen(pieces: Pieces, may_choose: Callable[[Keys], Mask], who: str) -> Pieces:
    with blaming(who, TrainingError, but=Interrupted):
        yield from sound(pieces, may_choose, who=who)


def _how(strategy: Strategy, turn: int, memory: Memory, remembered: int) -> Chosen:
    asks = strategy.reads_model and strategy.reads_model_at(turn)
    return Chosen(by=strategy.part_at(turn), remembered=remembered, without_model=asks and memory.model is None)


def _observed(strategy: Strategy, reader: Reader, memory: Memory) -> State:
    """The state after the rows that the strategy has not seen yet."""
    state = None if memory.state is None else read_state(memory.state)
    if strategy.observes:
        for piece in reader.in_order(strategy.columns, labels=strategy.wants_labels):
            state = strategy.observe(msgspec.structs.replace(piece, seed=memory.seed), state)
    return state


def _request(strategy: Strategy, known: Known, reader: Reader, seed: int) -> Request:
    most = strategy.earlier_triggers

    def told(triggers: int | None) -> int | None:
        if triggers is not None and not 1 <= triggers <= most:
            raise ValueError(f"request.rows({triggers}) is asked for; it takes None, or 1 to earlier_triggers, {most}")
        return triggers

    return Request(
        trigger_id=known.trigger_id,
        trigger_key=known.trigger_key,
        seed=seed,
        rows=lambda triggers: reader.keys(told(triggers)),
        timed=lambda triggers: reader.times.of(reader.keys(told(triggers))),
        labelled=lambda triggers: reader.labelled(told(triggers)),
        seen=reader.seen,
        labelled_us=reader.times.last_us,
        turn=known.turn,
    )
