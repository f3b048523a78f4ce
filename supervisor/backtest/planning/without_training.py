"""What becomes of triggers where nothing is trained: each gets a model if it has rows, of as many as it may have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from shared.blame import blaming
from shared.config.pipeline import Trigger
from shared.errors import RunFailedError
from shared.ids import TriggerId
from shared.messages.tasks import KeyRange
from supervisor.backtest.planning.train_rows import TrainRows
from supervisor.backtest.replaying.replay import CannotTellError, Settled
from supervisor.core.seen import Fired
from supervisor.triggers.build import policy_of
from supervisor.triggers.policy import StreamStart


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """What a trigger would take."""

    trigger: TriggerId
    selected: int  # rows, at most


class WithoutTraining:
    """Counts rows, and prices them. What a policy hears of trainings only a run can say where it is not known."""

    def __init__(self, trigger: Trigger, rows: TrainRows | None, per_sample_s: float | None) -> None:
        """`rows`: None where a table of labels decides which there are; `per_sample_s`: as somebody has told it.

        Raises RunFailedError for what the policy raises.
        """
        told = list(_values(trigger.options, "seconds_per_sample"))
        told += _values(trigger.guards, "seconds_per_sample")
        self.per_sample_s = per_sample_s if per_sample_s is not None else next(iter(told), None)
        self._rows, self._is_told = rows, per_sample_s is not None
        self._measures = any([*_values(trigger.options, "measured"), *_values(trigger.guards, "measured")])
        with blaming(f"trigger policy {trigger.name}", RunFailedError):
            self._hears = policy_of(trigger, StreamStart(first_key=0, event_time_us=0)).hears_trainings
        self.counted: list[Counted] = []

    @property
    def is_rough(self) -> bool:
        """Whether the policy heard of more rows than a run may select."""
        return self._hears and self._rows is not None and not self._rows.is_exact and bool(self.counted)

    def settled(self, fired: Fired, left_out: tuple[KeyRange, ...]) -> Settled:
        """Raises CannotTellError, DataError."""
        if self._hears and self._measures and not self._is_told:
            raise CannotTellError(
                "the policy weighs what trainings take, which a run measures; --seconds-per-sample says it beforehand"
            )
        if self._rows is None:
            if self._hears:
                raise CannotTellError("the policy hears how many rows were selected, which the table of labels decides")
            return Settled(0, 0.0)  # nobody hears how many there are
        if self._rows.known_at(fired, left_out) == 0:
            self.counted.append(Counted(trigger=fired.id, selected=0))
            return Settled(0, None)
        selected = self._rows.at_most
        self.counted.append(Counted(trigger=fired.id, selected=selected))
        return Settled(selected, selected * (self.per_sample_s or 0.0))


def _values(block: Any, key: str) -> Iterator[Any]:
    """What stands under a key in the options of policies, and of those within them; None is nothing."""
    if isinstance(block, Mapping):
        for name, value in block.items():
            if name == key and value is not None:
                yield value
            else:
                yield from _values(value, key)
    elif isinstance(block, list | tuple):
        for value in block:
            yield from _values(value, key)
