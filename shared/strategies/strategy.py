"""What a training strategy is: it sees rows as they become known, and chooses those that a trigger is trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Protocol

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.config.fields import Group
from shared.training_rule import TrainingRule

Keys = npt.NDArray[np.int64]  # (n,), ascending
Weights = npt.NDArray[np.float32]  # (n,)
Times = npt.NDArray[np.int64]  # (n,), µs since the epoch; they do not descend
Pieces = Iterator[tuple[Keys, Weights]]
State = Any  # as shared/strategies/state.py says; None: nothing is kept


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of the train split that have become known, in the order in which they did."""

    keys: Keys  # they ascend, unless labels stand in a table of their own
    rows: pa.Table | None  # the strategy's `columns`, if it has any
    labels: pa.ChunkedArray | None = None  # of these rows, where the strategy wants them
    seed: int = 0  # of the pipeline, as a request's


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a trigger asks for."""

    trigger_id: int  # 0, 1, 2 …
    trigger_key: int  # the last row that it sees
    # The rows of the train split whose labels are known now, and were not so many triggers before (None: all), as they
    # are read. The triggers before are at most `earlier_triggers` of the strategy.
    rows: Callable[[int | None], Iterator[Keys]]
    seed: int  # of the pipeline: the same at each trigger
    # The same rows, asked for likewise: with their event times; with their labels, one column; and of keys that `rows`
    # of so many triggers before gave, how many triggers had seen each before this one, (n,).
    timed: Callable[[int | None], Iterator[tuple[Keys, Times]]]
    labelled: Callable[[int | None], Iterator[tuple[Keys, pa.ChunkedArray]]]
    seen: Callable[[Keys, int], npt.NDArray[np.int64]]
    # Event time, µs, at the last row of all splits whose label is known; asked only where there is one.
    labelled_us: Callable[[], int]
    turn: int = 0  # so many triggers before this one selected something
    stage: int = 0  # the strategy's place in a pipeline, from 0; `seed` differs by it already


class CurrentModel(Protocol):
    """The newest model that an earlier trigger got. What it is asked is computed on the worker's device.

    Keys ascend; answers come piece by piece, each with its keys.
    """

    @property
    def trigger_id(self) -> int:
        """The trigger that it is of."""

    def predictions(self, keys: Keys) -> Iterator[tuple[Keys, npt.NDArray[np.float32]]]:
        """Probabilities (n, classes), or values (n,)."""

    def embeddings(self, keys: Keys) -> Iterator[tuple[Keys, npt.NDArray[np.float64]]]:
        """What enters the last linear layer, (n, width)."""

    def scores(
        self, measure: str, keys: Keys, holdout: bytes | str | None = None
    ) -> Iterator[tuple[Keys, npt.NDArray[np.float64]]]:
        """How much is to be learned from each row, (n,), by a measure of workers/selection/importance.

        `holdout`: for `rho_loss`, the bytes of the model that is compared with, or the URI at which they lie.
        """

    def holdout(self) -> bytes | None:
        """A model like this one, trained on the rows of the validation split that are known; None if there are none."""

    def coreset(self, name: str, keys: Keys, k: int, options: Mapping[str, Any]) -> tuple[Keys, Weights | None]:
        """The k of these rows that stand for all, at most, by a function of workers/selection/coreset: ascending.

        Weights: the mean over the lines of weight × gradient estimates the mean gradient of `keys`; None: all are 1.
        """


class Strategy:
    """The base of all. Both `observe` and `select` are pure: the same rows and state give the same sets, anywhere.

    What `select` returns for a state is stored with the training set, and handed to `observe` at the next trigger, with
    the rows that have become known since. A trigger that trains nothing leaves no state: the next one goes on from the
    one before, and observes its rows as well.
    """

    Schema: ClassVar[type[Group]] = Group  # of the options, beside `name:` or below `config:`
    # A strategy whose options decide any of these sets it in its constructor.
    columns: tuple[str, ...] = ()  # of the dataset, that `observe` wants to see
    wants_labels: bool = False  # `observe` wants to see the labels, whatever their column is called
    reads_model: bool = False  # `select` asks the current model: a train worker does it
    earlier_triggers: int = 1  # so many triggers before may be asked for
    # What a forecast of its sets must know.
    selects_all: bool = False  # from all rows at each trigger, not from those since the previous one
    selects_at_most: int | None = None  # so many rows, whatever there are
    # What other strategies, and other keys of pipeline.yaml, must know.
    weighs: bool = False  # weights say how much a row counts, and are not 1 for all
    recalls: bool = False  # goes by what came or was selected at earlier triggers, and is nothing without
    evens_labels: bool = False  # selects exactly as many rows of each label as of any other
    # What a back-test must know, which has one trigger's model stand for another's: of the rows that it asks for it
    # chooses the same, whichever triggers came before, and whatever they selected.
    forgets_triggers: bool = False

    def __init__(self, options: Mapping[str, Any]) -> None:
        """`options`: as the schema loads them."""

    @classmethod
    def objections(cls, options: Mapping[str, Any], pipeline: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """(`name`, or key of its options, sentence) for what the rest of pipeline.yaml does not allow.

        `pipeline`: as its schema loads it, without groups that are wrong by themselves. Strategies that the options
        name are asked by themselves.
        """
        yield from ()

    @classmethod
    def balances_by(cls, options: Mapping[str, Any]) -> str | None:
        """`name`, or the key of its options, for which rows of each label are counted apart; None: for none.

        Labels must be classes then, or few whole numbers: of fractions hardly two are equal.
        """
        return None

    @property
    def observes(self) -> bool:
        """Whether rows are read for `observe`: where a strategy has one."""
        return type(self).observe is not Strategy.observe

    @property
    def rules(self) -> bool:
        """Whether `rule` may give one: where a strategy has it, unless its options decide otherwise."""
        return type(self).rule is not Strategy.rule

    def reads_model_at(self, turn: int) -> bool:
        """Whether `select` asks the current model when so many triggers before have selected something.

        Asked where `reads_model` says that it ever does. A replay waits for that model.
        """
        return self.reads_model

    def part_at(self, turn: int) -> str | None:
        """What selects at this turn, as people call it; None: the strategy itself, as at any other."""
        return None

    def observe(self, piece: Piece, state: State) -> State:
        """The state after these rows, which may be kept from one trigger to the next."""
        return state

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """The training set, piece by piece with ascending keys, and the state that is kept for the next trigger.

        The state is settled before the pieces are taken. `model`: None if the strategy reads none, or no trigger before
        got one.
        """
        raise NotImplementedError

    def stood_by(self, request: Request, state: State, *, all_rows: bool) -> State:
        """The state that is kept after a trigger at which another strategy selected; `all_rows`: it selected all.

        As it was observed, unless a strategy has more to say.
        """
        return state

    def rule(self, request: Request) -> TrainingRule | None:
        """What decides within the training which rows of the set are learned from; None: all, in each epoch."""
        return None


def unweighted(pieces: Iterator[Keys]) -> Pieces:
    """Every row as it is."""
    return ((keys, np.ones(len(keys), np.float32)) for keys in pieces)
