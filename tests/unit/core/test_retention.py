"""Which models retention lets go of."""

from __future__ import annotations

from typing import Any

import msgspec
from run_of_events import Run, decision
from workplace import Workplace

from shared.messages.reports import Baselined, Decided, Evaluated
from supervisor.core.commands import RetireModel
from supervisor.core.events import Observed, StreamEnded
from supervisor.core.seen import Slice


def retired(small: Workplace, kept: int | None, deployed: set[int]) -> list[int]:
    """Ids of the models let go of, in a run of five triggers that keeps so many, and deploys these."""
    del small.pipeline["evaluation"]["on"][2]
    run = Run(small)
    run.state = run.state.but(settings=msgspec.structs.replace(run.state.settings, models_kept=kept))
    commands: list[Any] = [*run.fire(9, 19, 29, 39, 49), *run.tell(StreamEnded(time_us=0, key=59))]
    commands += run.select(0)
    for trigger in range(5):
        commands += [*run.train(trigger), *(run.select(trigger + 1) if trigger < 4 else ())]
        commands += run.report(Evaluated, "evaluate", trigger, scores=())
        held = max((one for one in deployed if one <= trigger), default=None)
        commands += run.report(Decided, "decide", trigger, **decision(trigger in deployed, held))
        commands += run.report(Baselined, "baseline", trigger, scores={}, history={})
        commands += run.report(Evaluated, "score", trigger, scores=())
    assert run.state.status == "running"
    assert run.state.to.score == 5
    return [command.trigger_id for command in commands if isinstance(command, RetireModel)]


def test_by_default_every_model_is_kept(small: Workplace) -> None:
    """retention.models: all."""
    assert retired(small, None, {0, 1, 2, 3, 4}) == []


def test_the_newest_stay_and_the_first_as_the_baseline(small: Workplace) -> None:
    """Two are kept beside the first model, which every window is scored with."""
    assert retired(small, 2, {0, 1, 2, 3, 4}) == [1, 2]


def test_the_deployed_model_stays_however_old(small: Workplace) -> None:
    """It is the one that later candidates are compared with."""
    assert retired(small, 1, {1}) == [2, 3]


def test_a_model_stays_while_a_slice_that_it_meets_is_open(small: Workplace) -> None:
    """With `models: {newest: 1}` a slice that began before trigger 2 is scored with model 1, too, when it ends."""
    run = Run(small)
    changed = {"models_kept": 1, "newest": 1, "recurring": ("weekly",), "gated": (), "deploys": False}
    run.state = run.state.but(settings=msgspec.structs.replace(run.state.settings, **changed))
    commands = [*run.fire(9, 19, 29), *run.select(0)]
    for trigger in range(3):
        commands += [*run.train(trigger), *(run.select(trigger + 1) if trigger < 2 else ())]
        commands += run.report(Baselined, "baseline", trigger, scores={}, history={})
        commands += run.report(Evaluated, "score", trigger, scores=())
    assert not any(isinstance(command, RetireModel) for command in commands)
    week = Slice(window="weekly", start_us=0, first_key=0, last_key=39, event_time_us=None)
    scored = run.tell(Observed(time_us=0, key=45, event_time_us=45, slices=(week,)))
    assert [command.task.models[0].trigger_id for command in scored] == [0, 1, 2]
    retired_then = run.report(Evaluated, "slices", 1, scores=())
    assert [command.trigger_id for command in retired_then if isinstance(command, RetireModel)] == [1]
