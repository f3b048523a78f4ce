"""The state of one trigger: how far it has come, and what was made of it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from shared.artifacts import ArtifactRef
from shared.ids import TriggerId
from shared.messages.tasks import KeyRange
from supervisor.core.seen import Fired


class Phase(StrEnum):
    """How far a trigger has come."""

    WAITING = "waiting"
    SELECTING = "selecting"
    SELECTED = "selected"
    TRAINING = "training"
    COMMITTED = "committed"
    FAILED = "failed"
    COALESCED = "coalesced"  # its rows went into the next trigger
    EMPTY = "empty"  # no row was selected for it: there is nothing to train on, and the model before stays the newest

    @property
    def over(self) -> bool:
        """Nothing more is trained for this trigger."""
        return self is Phase.COMMITTED or self.without_model

    @property
    def without_model(self) -> bool:
        """No model ever comes of this trigger."""
        return self in (Phase.FAILED, Phase.COALESCED, Phase.EMPTY)

    @property
    def selected(self) -> bool:
        """Whether it is known that there is something to train on, or that there is not."""
        return self not in (Phase.WAITING, Phase.SELECTING)


class TriggerState(msgspec.Struct, frozen=True, kw_only=True):
    """One trigger, from the moment it fired."""

    fired: Fired
    first_key: int  # its first new row
    left_out: tuple[KeyRange, ...] = ()  # rows that its selection may not have
    before: int | None = None  # the trigger before it that has a model or may get one; None: it is the first
    after: int | None = None  # the one after it; None: it is the last so far
    phase: Phase = Phase.WAITING
    training_set: ArtifactRef | None = None
    samples: int = 0  # lines of it
    turn: int = 0  # so many triggers before had selected something when it did
    state: ArtifactRef | None = None  # what the strategy kept after the selection
    state_gone: bool = False  # it was let go of, or lost
    restoring: bool = False  # the selection is done again, for that alone
    chosen_by: TriggerId | None = None  # whose model the selection asked; None: it asked none
    train_s: float = 0.0  # that its members were trained
    model: ArtifactRef | None = None
    decided: bool = False
    deployed_after: TriggerId | None = None  # what was deployed once its decision was made
    slice_tasks: int = 0  # evaluations over slices published so far
    slices_scored: int = 0  # closed slices that these cover, the first so many
    was_committed: bool = False  # it has had a model, which others were compared with
    remade: bool = False  # its artifacts were lost, and are made anew
    retired: bool = False  # its weights were let go of
    classes: int | None = None  # how many of the run's classes its training set knows; None: they have no names
    last_attempt: int = 0  # the highest number of any attempt at its tasks
    error: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more is trained for it."""
        return self.phase.over

    @property
    def took_s(self) -> float | None:
        """Seconds that its members were trained; None: it has no model."""
        return None if self.model is None else self.train_s
