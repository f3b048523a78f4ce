"""What an event costs does not grow with the length of the run, nor with what is open. Operations are counted."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from immutables import Map
from run_of_events import RUN, Run, ref, run_started
from workplace import Workplace

from shared.ids import TriggerId, WorkerId, task_id
from shared.messages.reports import Claimed, Failed
from shared.messages.tasks import EvaluateTask, ModelRef
from supervisor.core.advance import at_rest
from supervisor.core.commands import PublishChord
from supervisor.core.events import Observed, Reported
from supervisor.core.open_tasks import OpenTask, OpenTasks
from supervisor.core.seen import Fired, Slice
from supervisor.core.state import Baselines, Cursors, Models, RunState
from supervisor.core.transition import transition
from supervisor.core.trigger_state import Phase

FEW, MANY = 100, 3_200
_GROWTH = 1.6  # logarithms grow, too: 32 times as many are five steps of a search more


def calls(act: Callable[[], object]) -> int:
    """How many functions are called, Python's own included."""
    count = 0

    def note(_: Any, event: str, __: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return count


OF_TASKS: dict[str, Any] = {"run_id": RUN, "trigger_id": TriggerId(0), "setup_version": 1}


def after(small: Workplace, triggers: int, **settings: Any) -> Run:
    """A run all of whose triggers so far have their model and their decision."""
    run = Run(small)
    run.state = run.state.but(settings=msgspec.structs.replace(run.state.settings, **settings))
    fired = tuple(Fired(id=TriggerId(n), key=n, timestamp_us=n, reason="") for n in range(triggers))
    for one in fired:
        run.state = run.state.with_fired(one)
    for number in range(triggers):
        done = {"phase": Phase.COMMITTED, "model": ref(f"models/{number}"), "decided": True}
        run.state = run.state.with_trigger(number, training_set=ref("set"), was_committed=True, **done)
    cursors = Cursors(**dict.fromkeys(Cursors.__struct_fields__, triggers))
    run.state = run.state.but(to=cursors, models=Models(made=triggers, first=TriggerId(0))).with_stream(
        observed_key=triggers - 1
    )
    return run


def with_open_evaluations(run: Run, count: int) -> Run:
    """So many evaluations of its models wait for a worker."""
    tasks = {}
    for number in range(count):
        task = EvaluateTask(
            **OF_TASKS,
            models=(ModelRef(trigger_id=TriggerId(1), object=ref("m")),),
            stretches=(),
        )
        tasks[task_id(RUN, TriggerId(0), "slices", number)] = OpenTask(task=task)
    run.state = run.state.but(tasks=OpenTasks.of(tasks))
    return run


def next_trigger(run: Run) -> list[Callable[[], object]]:
    """The events of one more trigger, from firing to the decision."""
    number = len(run.state.triggers)
    claimed = Claimed(task_id=task_id(RUN, TriggerId(number), "train"), attempt=1, worker=WorkerId("w"))
    return [
        run.fire_next,
        lambda: run.select(number),
        lambda: run.tell(Reported(time_us=0, position="1-0", report=claimed)),
        lambda: run.train(number),
    ]


@pytest.mark.parametrize("settings", [{}, {"use_previous_model": False}, {"models_kept": 2}])
def test_a_trigger_costs_the_same_at_the_end_of_a_long_run(small: Workplace, settings: dict[str, Any]) -> None:
    """With a window that reaches back over all of it, side by side, and with models that are let go of."""
    few, many = (sum(calls(act) for act in next_trigger(after(small, n, **settings))) for n in (FEW, MANY))
    assert many < _GROWTH * few


def test_a_trigger_costs_the_same_while_many_evaluations_are_open(small: Workplace) -> None:
    """The matrix may be thousands of tasks behind; independent trainings go on beside it."""
    counted = [
        sum(calls(act) for act in next_trigger(with_open_evaluations(after(small, FEW, **settings), open_tasks)))
        for settings in ({"use_previous_model": False}, {"models_kept": 2})
        for open_tasks in (FEW, MANY)
    ]
    assert counted[1] < _GROWTH * counted[0]
    assert counted[3] < _GROWTH * counted[2]


@pytest.mark.parametrize("held_up", ["scores", "readers"])
def test_models_that_cannot_be_let_go_of_yet_cost_no_more_the_more_they_are(small: Workplace, held_up: str) -> None:
    """Evaluations are far behind, so that all models are kept that retention would let go of: on the average."""
    counted = []
    for kept in (FEW, MANY):
        run = after(small, kept, models_kept=1)
        run.state = run.state.with_models(kept=frozenset(range(kept)))
        if held_up == "scores":
            run.state = run.state.moved(score=0, baseline=0).but(baselines=Baselines(running=True))
        else:
            for number in range(kept):
                model = ModelRef(trigger_id=TriggerId(number), object=ref("m"))
                task = EvaluateTask(**OF_TASKS, models=(model,), stretches=())
                run.state = run.state.with_task(task_id(RUN, TriggerId(0), "slices", number), OpenTask(task=task))
        observed = [Observed(time_us=0, key=kept + n, event_time_us=kept + n) for n in range(MANY)]
        counted.append(calls(lambda run=run, events=observed: [run.tell(event) for event in events]))
    assert counted[1] < 2 * _GROWTH * counted[0]


def coalescing(small: Workplace) -> Run:
    """A run that follows its dataset, and puts triggers together."""
    run = Run(small)
    settings = msgspec.structs.replace(run.state.settings, coalesce=True)
    started = run_started(mode="production")
    run.state, *_ = transition(RunState(settings=settings), started)
    return run


def test_a_trigger_costs_the_same_while_a_training_lasts(small: Workplace) -> None:
    """Where triggers are coalesced one waits at most, so a long training puts nobody behind."""
    run = coalescing(small)
    run.fire(9)
    run.select()
    counted = [calls(run.fire_next) for _ in range(MANY)]
    assert counted[-1] < _GROWTH * counted[FEW]
    waiting = [one for one in run.state.triggers.values() if one.phase is Phase.WAITING]
    assert [one.fired.id for one in waiting] == [MANY]
    assert waiting[0].first_key == 10, "the rows of all that were put together are in the last"


def test_where_triggers_are_coalesced_observing_goes_on(small: Workplace) -> None:
    """However long a training takes, the supervisor knows where the stream is."""
    run = coalescing(small)
    for _ in range(500):
        run.fire_next()
        assert at_rest(run.state)


def test_triggers_that_fire_at_once_are_put_together_and_selected(small: Workplace) -> None:
    """A backlog that one look at the rows finds: the last of its triggers takes all rows, and waits for nothing."""
    run = coalescing(small)
    (select,) = run.fire(9, 19, 29)
    assert (select.task.trigger_id, select.task.previous, select.task.trigger_key) == (2, (), 29)


def test_triggers_that_fail_in_any_order_hold_up_no_other(small: Workplace) -> None:
    """The later of two fails first, then the earlier: the next is trained, from nothing."""
    run = Run(small, on_failure="continue", use_previous_model=False)
    run.fire(9, 19)
    run.select(0)
    run.select(1)
    for trigger in (1, 0):
        run.report(Failed, "train", trigger, sentence="it broke", traceback="")
    settings = msgspec.structs.replace(run.state.settings, use_previous_model=True)
    run.state = run.state.but(settings=settings)
    run.fire(29)
    (chord,) = [one for one in run.select(2) if isinstance(one, PublishChord)]
    assert chord.headers[0][1].previous_model is None


def test_a_model_looks_only_at_slices_since_its_trigger(small: Workplace) -> None:
    """`models: {newest: 2}`: thousands of slices that closed before cost nothing."""
    counted = []
    for slices in (FEW, MANY):
        run = after(small, FEW, newest=2)
        closed = {
            n: Slice(window="months", start_us=n, first_key=n, last_key=n, event_time_us=n) for n in range(slices)
        }
        run.state = run.state.with_stream(slices=Map(closed))
        counted.append(sum(calls(act) for act in next_trigger(run)))
    assert counted[1] < _GROWTH * counted[0]
