"""The state of a run: all that the transition needs to decide, and nothing that it does not.

Values never change; the maps share their structure (a persistent trie), so that an event costs O(log n).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec
from immutables import Map

from shared.artifacts import ArtifactRef
from shared.config.pipeline import Every, Last, Pipeline, UntilNextTrigger, Window
from shared.ids import RunId, TaskId, TriggerId
from shared.messages.reports import TargetDecision
from shared.messages.tasks import Device
from shared.plugins import STRATEGIES
from supervisor.core.events import Fired, Slice
from supervisor.core.open_tasks import OpenTask, OpenTasks


class Phase(StrEnum):
    """How far a trigger has come."""

    WAITING = "waiting"
    SELECTING = "selecting"
    SELECTED = "selected"
    TRAINING = "training"
    COMMITTED = "committed"
    FAILED = "failed"
    COALESCED = "coalesced"  # its rows went into the next trigger

    @property
    def over(self) -> bool:
        """Nothing more is trained for this trigger."""
        return self in (Phase.COMMITTED, Phase.FAILED, Phase.COALESCED)


class TriggerState(msgspec.Struct, frozen=True, kw_only=True):
    """One trigger, from the moment it fired."""

    fired: Fired
    first_key: int  # its first new row
    before: int | None = None  # the trigger before it that has a model or may get one; None: it is the first
    after: int | None = None  # the one after it; None: it is the last so far
    phase: Phase = Phase.WAITING
    training_set: ArtifactRef | None = None
    model: ArtifactRef | None = None
    decided: bool = False
    deployed_after: TriggerId | None = None  # what was deployed once its decision was made
    slice_tasks: int = 0  # evaluations over slices published so far
    slices_scored: int = 0  # closed slices that these cover, the first so many
    was_committed: bool = False  # it has had a model, which others were compared with
    remade: bool = False  # its artifacts were lost, and are made anew
    retired: bool = False  # its weights were let go of
    last_attempt: int = 0  # the highest number of any attempt at its tasks
    error: str | None = None


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What of pipeline.yaml the decisions depend on."""

    use_previous_model: bool
    members: int  # of a training, which are gathered to one model
    max_in_flight: int
    coalesce: bool
    continue_on_failure: bool
    earlier_triggers: int  # whose keys a selection is told
    deploys: bool
    gate_window: str | None
    prequential: tuple[Window, ...]  # the first makes the composite
    gated: tuple[Window, ...]  # windows that end at the watermark
    recurring: tuple[str, ...] = ()  # names of the windows that cut the stream into slices
    newest: int | None
    attempts: int
    models_kept: int | None  # how many of the newest are kept; None: all

    @classmethod
    def of(cls, pipeline: Pipeline, models_kept: int | None = None) -> Settings:
        """The settings of a pipeline."""
        deployment = pipeline.deployment
        return cls(
            use_previous_model=pipeline.training.use_previous_model,
            members=pipeline.training.workers,
            max_in_flight=pipeline.training.max_in_flight,
            coalesce=pipeline.training.backlog == "coalesce",
            continue_on_failure=pipeline.training.on_failure == "continue",
            earlier_triggers=STRATEGIES[pipeline.strategy.name](pipeline.strategy.options).earlier_triggers,
            deploys=deployment is not None,
            gate_window=deployment.gate.on if deployment and deployment.gate else None,
            prequential=tuple(one for one in pipeline.evaluation.on if isinstance(one.extent, UntilNextTrigger)),
            gated=tuple(window for window in pipeline.evaluation.on if isinstance(window.extent, Last)),
            recurring=tuple(window.name for window in pipeline.evaluation.on if isinstance(window.extent, Every)),
            newest=pipeline.evaluation.newest,
            attempts=pipeline.training.attempts,
            models_kept=models_kept,
        )


class Cursors(msgspec.Struct, frozen=True, kw_only=True):
    """How far each kind of work has come: trigger ids, below which all is published."""

    select: int = 0
    train: int = 0
    decide: int = 0
    score: int = 0
    baseline: int = 0


class RunState(msgspec.Struct, frozen=True, kw_only=True):
    """A run between two events."""

    settings: Settings
    run_id: RunId = RunId("")
    experiment: bool = False
    evaluation_device: Device = "cpu"
    setup_version: int = 1  # of the record that workers are to read
    attempts_above: int = 0  # numbers of attempts that other sessions may have given out
    first_key: int = 0
    stop_key: int | None = None
    train_on_everything: bool = False
    maximum_triggers: int | None = None
    observed_key: int = -1  # last row seen
    event_time_us: int | None = None
    stream_ended: bool = False
    triggers: Map[int, TriggerState] = Map()
    last: int | None = None  # the last trigger that has a model or may get one
    slices: Map[int, Slice] = Map()  # closed ones
    open_slices: Map[str, int] = Map()  # window → first key of the slice after the last that closed
    tasks: OpenTasks = OpenTasks()
    held: frozenset[TaskId] = frozenset()  # open tasks that nobody can work on yet, and Celery will not send
    kept_models: frozenset[int] = frozenset()  # committed and not retired; noted only where retention lets go of some
    kept_unseen: int = 0  # events since these were looked at
    models: int = 0  # committed so far
    first_model: TriggerId | None = None
    deployed: TriggerId | None = None  # this run's model in the first target
    targets: Map[str, TargetDecision] = Map()  # what each holds, as the last decision found it
    serves: bool = True  # deploys to the targets themselves; a rehearsal to folders of its own
    to: Cursors = Cursors()
    baseline_running: bool = False
    history: dict[str, Any] | None = None
    report_position: str = "0"
    stopping: bool = False
    status: str = "running"

    @property
    def first_usable_key(self) -> int:
        """The first row that may be trained and scored on: the first followed, unless all that existed was taken."""
        return 0 if self.train_on_everything else self.first_key

    def trigger(self, index: int) -> TriggerState:
        """The trigger with this id."""
        return self.triggers[index]

    def with_trigger(self, index: int, **changes: Any) -> RunState:
        """This state with one trigger changed."""
        changed = msgspec.structs.replace(self.triggers[index], **changes)
        return self.but(triggers=self.triggers.set(index, changed))

    def first_attempt(self, index: int) -> int:
        """The number of a new task's first attempt: above all that were, should the trigger be made anew."""
        trigger = self.triggers[index]
        return max(self.attempts_above, trigger.last_attempt if trigger.remade else 0) + 1

    def with_attempt(self, index: int, number: int) -> RunState:
        """This state with an attempt of this number at a task of a trigger."""
        return self if number <= self.triggers[index].last_attempt else self.with_trigger(index, last_attempt=number)

    def with_task(self, task_id: TaskId, open_task: OpenTask) -> RunState:
        """This state with one open task changed, or one more."""
        return self.but(tasks=self.tasks.with_task(task_id, open_task))

    def without_tasks(self, *gone: TaskId) -> RunState:
        """This state with these tasks no longer open."""
        tasks = self.tasks
        for task_id in gone:
            tasks = tasks.without(task_id)
        return self.but(tasks=tasks, held=self.held.difference(gone))

    def but(self, **changes: Any) -> RunState:
        """This state with some values changed."""
        return msgspec.structs.replace(self, **changes)

    def moved(self, **cursors: int) -> RunState:
        """This state with some kinds of work at another trigger."""
        return self.but(to=msgspec.structs.replace(self.to, **cursors))

    def before(self, index: int) -> TriggerState | None:
        """The trigger before that has a model or may get one: none that failed, or whose rows went into the next."""
        before = self.triggers[index].before
        return None if before is None else self.triggers[before]

    def following(self, index: int) -> TriggerState | None:
        """The next trigger that has a model or may get one."""
        after = self.triggers[index].after
        return None if after is None else self.triggers[after]

    def with_fired(self, fired: Fired) -> RunState:
        """This state with one trigger more. Where triggers are coalesced, one that still waits goes into it."""
        previous = self.triggers.get(fired.id - 1)
        state, first_key = self, self.first_usable_key if previous is None else previous.fired.key + 1
        if previous is not None and self.coalesces and previous.phase is Phase.WAITING and not previous.remade:
            state, first_key = self.left_out(previous.fired.id, phase=Phase.COALESCED), previous.first_key
        # Where only the newest models meet slices, one meets none that closed before it fired.
        scored = 0 if self.settings.newest is None else len(self.slices)
        fresh = TriggerState(fired=fired, first_key=first_key, before=state.last, slices_scored=scored)
        if state.last is not None:
            state = state.with_trigger(state.last, after=fired.id)
        return state.but(triggers=state.triggers.set(fired.id, fresh), last=fired.id)

    def left_out(self, index: int, **changes: Any) -> RunState:
        """This state with a trigger that never gets a model: those before and after it are each other's neighbours."""
        trigger, state = self.triggers[index], self.with_trigger(index, **changes)
        if self.last == index:
            state = state.but(last=trigger.before)
        if trigger.before is not None:
            state = state.with_trigger(trigger.before, after=trigger.after)
        if trigger.after is not None:
            state = state.with_trigger(trigger.after, before=trigger.before)
        return state

    def window_end(self, index: int) -> int | None:
        """The last key a model of this trigger owns, None while that is not known.

        It is the newest until the next trigger that is given a model: one that failed, or whose rows went into the
        next, leaves it the newest.
        """
        following = self.following(index)
        if following is None:
            return self.observed_key if self.stream_ended else None
        open_yet = (self.settings.continue_on_failure and following.phase is not Phase.COMMITTED) or (
            self.coalesces and following.phase is Phase.WAITING
        )
        return None if open_yet else following.fired.key

    @property
    def coalesces(self) -> bool:
        """Whether triggers that come faster than trainings are put together; a replay takes them all."""
        return self.settings.coalesce and not self.experiment
