"""The state of a run: all that the transition needs to decide, and nothing that it does not.

Values never change; the maps share their structure (a persistent trie), so that an event costs O(log n).
"""

from __future__ import annotations

from typing import Any

import msgspec
from immutables import Map

from shared.ids import RunId, TaskId, TriggerId
from shared.messages.reports import TargetDecision
from supervisor.core.events import RunStarted
from supervisor.core.open_tasks import OpenTask, OpenTasks
from supervisor.core.seen import Fired, Unread
from supervisor.core.settings import Settings
from supervisor.core.stream import Stream
from supervisor.core.trigger_state import Phase, TriggerState

_NOT_STARTED = RunStarted(
    time_us=0, run_id=RunId(""), mode="production", first_key=0, stop_key=None, maximum_triggers=None
)


class Models(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of all committed models at once."""

    made: int = 0
    first: TriggerId | None = None
    kept: frozenset[int] = frozenset()  # committed and not retired; noted only where retention lets go of some
    kept_unseen: int = 0  # events since these were looked at


class Baselines(msgspec.Struct, frozen=True, kw_only=True):
    """Where what needs no model stands: each window's task begins with what the one before it handed on."""

    running: bool = False
    history: dict[str, Any] | None = None


class Cursors(msgspec.Struct, frozen=True, kw_only=True):
    """How far each kind of work has come: trigger ids, below which all is published."""

    select: int = 0
    train: int = 0
    decide: int = 0
    score: int = 0
    baseline: int = 0
    estimate: int = 0  # windows that wait for their labels


class RunState(msgspec.Struct, frozen=True, kw_only=True):
    """A run between two events."""

    settings: Settings
    started: RunStarted = _NOT_STARTED  # what was settled when the run began
    setup_version: int = 1  # of the record that workers are to read
    attempts_above: int = 0  # numbers of attempts that other sessions may have given out
    stream: Stream = Stream()
    unread: Unread = Unread()  # files of the dataset whose rows have no keys
    triggers: Map[int, TriggerState] = Map()
    last: int | None = None  # the last trigger that has a model or may get one
    to: Cursors = Cursors()
    tasks: OpenTasks = OpenTasks()
    held: frozenset[TaskId] = frozenset()  # open tasks that nobody can work on yet, and Celery will not send
    models: Models = Models()
    states_kept: tuple[int, ...] = ()  # triggers after which what the strategy kept is there, ascending
    selecting_again: frozenset[int] = frozenset()  # triggers whose selections were found to be done, or done again
    deployed: TriggerId | None = None  # this run's model in the first target
    targets: Map[str, TargetDecision] = Map()  # what each holds, as the last decision found it
    baselines: Baselines = Baselines()
    evaluations_done: int = 0  # windows and slices that were scored, and baselines of windows
    classes: tuple[str, ...] | None = None  # names, in order, as far as training sets know them; None: they have none
    report_position: str = "0"
    stopping: bool = False
    status: str = "running"

    @property
    def run_id(self) -> RunId:
        """Empty before the run has started."""
        return self.started.run_id

    @property
    def experiment(self) -> bool:
        """Whether a recorded stream is replayed."""
        return self.started.mode == "experiment"

    @property
    def first_usable_key(self) -> int:
        """The first row that may be trained and scored on: the first followed, unless all that existed was taken."""
        return 0 if self.started.everything is not None else self.started.first_key

    def trigger(self, index: int) -> TriggerState:
        """The trigger with this id."""
        return self.triggers[index]

    def with_trigger(self, index: int, **changes: Any) -> RunState:
        """This state with one trigger changed."""
        changed = msgspec.structs.replace(self.triggers[index], **changes)
        return self.but(triggers=self.triggers.set(index, changed))

    def first_attempt(self, index: int) -> int:
        """The number of a new task's first attempt: above all that were, should the trigger be made anew."""
        trigger = self.triggers.get(index)  # None: a question is asked before there is one
        return max(self.attempts_above, trigger.last_attempt if trigger is not None and trigger.remade else 0) + 1

    def with_attempt(self, index: int, number: int) -> RunState:
        """This state with an attempt of this number at a task of a trigger."""
        trigger = self.triggers.get(index)
        known = trigger is None or number <= trigger.last_attempt
        return self if known else self.with_trigger(index, last_attempt=number)

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

    def with_stream(self, **changes: Any) -> RunState:
        """This state with more of the stream seen."""
        return self.but(stream=msgspec.structs.replace(self.stream, **changes))

    def with_models(self, **changes: Any) -> RunState:
        """This state with other models known."""
        return self.but(models=msgspec.structs.replace(self.models, **changes))

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
        scored = 0 if self.settings.newest is None else len(self.stream.slices)
        fresh = TriggerState(
            fired=fired,
            first_key=first_key,
            left_out=self.stream.left_out,
            before=state.last,
            slices_scored=scored,
        )
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

    def observed_before(self, index: int) -> TriggerState | None:
        """The newest trigger before whose selection counts: what the strategy kept then, the next one goes on from.

        O(triggers in between), which had no rows, failed at selection, or were coalesced.
        """
        while index > 0:
            index -= 1
            if self.triggers[index].training_set is not None:
                return self.triggers[index]
        return None

    def window_end(self, index: int) -> int | None:
        """The last key a model of this trigger owns, None while that is not known.

        It is the newest until the next trigger that is given a model: one that failed, that had no rows, or whose rows
        went into the next, leaves it the newest.
        """
        following = self.following(index)
        if following is None:
            return self.stream.observed_key if self.stream.ended else None
        may_fail = self.settings.continue_on_failure and following.phase is not Phase.COMMITTED
        return None if may_fail or not following.phase.selected else following.fired.key

    @property
    def coalesces(self) -> bool:
        """Whether triggers that come faster than trainings are put together; a replay takes them all."""
        return self.settings.coalesce and not self.experiment
