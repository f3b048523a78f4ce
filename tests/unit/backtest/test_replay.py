"""A replay that is told what a run was told is that run: answers about models, and what became of trainings."""

from __future__ import annotations

import random
from typing import Any

import pytest
from one_process import OneProcess
from workplace import Workplace

from shared.ids import TriggerId
from shared.messages.reports import Detected
from shared.messages.tasks import DetectTask
from supervisor.backtest.replaying.recording import open_recording
from supervisor.backtest.replaying.replay import CannotTellError, Posed, Settled, replay
from supervisor.core.events import Observed
from supervisor.core.seen import Fired
from supervisor.run.journal import events_in
from supervisor.run.start.first_events import Scope

UNLIKELY = {"ranges": {"columns": {"x0": [-1, 1]}, "outside": 0.32}, "on_violation": "skip", "usual": []}


class AsARun:
    """What workers answered, and what became of triggers, in a run that is over."""

    def __init__(self, run: OneProcess) -> None:
        asked = [(task, report) for task, report in run.done if isinstance(task, DetectTask)]
        self._answers = {task.number: (task, report) for task, report in asked}
        self._run, self.left_out = run.state, list[Any]()

    def answer(self, posed: Posed, model: TriggerId | None) -> dict[str, Any]:
        """That of the run, if it is the same question to the same model."""
        task, report = self._answers[posed.number]
        assert isinstance(report, Detected)
        assert (task.key, task.options, task.trigger_id) == (posed.asked.key, posed.asked.options, posed.trigger)
        assert task.left_out == posed.left_out
        if posed.asked.needs_model:
            assert model == (None if task.model is None else task.model.trigger_id)
        return report.answer

    def settled(self, fired: Fired, left_out: tuple[Any, ...]) -> Settled:
        """As it was there."""
        trigger = self._run.trigger(fired.id)
        assert trigger.fired == fired
        assert trigger.left_out == left_out
        return Settled(trigger.samples, trigger.took_s)


class UpToTheSecond(AsARun):
    """Knows nothing of the second trigger's model."""

    def answer(self, posed: Posed, model: TriggerId | None) -> dict[str, Any]:
        """As it was before."""
        if model == 1:
            raise CannotTellError("it is about the second")
        return super().answer(posed, model)


@pytest.mark.parametrize(
    "trigger",
    [
        {"policy": "asking", "every": 90, "needs_model": True, "twice": True},
        {"policy": "hearing", "every": 130},
        {"policy": "data_amount", "every": 130, "expect": UNLIKELY},
    ],
    ids=["asks of the model", "hears of trainings", "skips rows"],
)
@pytest.mark.parametrize("delay", ["0s", "8d"])
def test_it_is_the_run(small: Workplace, trigger: dict[str, Any], delay: str) -> None:
    """The same questions to the same models, the same triggers with the same labels known, the same rows set aside."""
    small.pipeline |= {"trigger": trigger, "data": {**small.pipeline["data"], "label_delay": delay}}
    small.pipeline.pop("deployment")
    run = OneProcess(small, random.Random(3))
    run.start()
    run.to_its_end()
    seen = [event for event in events_in(run.directory.journal_path) if isinstance(event, Observed)]
    recording = open_recording(run.configuration, Scope(experiment=True), small.folder / "found")
    block, told = run.pipeline.trigger, AsARun(run)
    found = replay(block, recording.stream, told, told, labelling=recording.labelling())
    assert found.fired == [one for event in seen for one in event.triggers]
    assert found.considered == [one for event in seen for one in event.considered]
    assert found.violations == [one for event in seen for one in event.violations]
    assert [one.asked for one in found.questions] == [event.question for event in seen if event.question]
    assert found.untold is None
    assert found.fired
    assert bool(found.violations) == ("expect" in trigger)


def test_it_ends_where_nobody_can_tell(small: Workplace) -> None:
    """All before that question stands, and why it ends."""
    small.pipeline["trigger"] = {"policy": "asking", "every": 90, "needs_model": True}
    small.pipeline.pop("deployment")
    run = OneProcess(small, random.Random(3))
    run.start()
    run.to_its_end()
    recording = open_recording(run.configuration, Scope(experiment=True), small.folder / "found")
    told = UpToTheSecond(run)
    found = replay(run.pipeline.trigger, recording.stream, told, told)
    assert [one.id for one in found.fired] == [0, 1]
    assert len(found.questions) == 4
    assert found.untold == (449, 449 * 3_600_000_000, "it is about the second")
