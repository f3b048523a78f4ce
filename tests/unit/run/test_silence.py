"""For how long nobody has worked."""

from __future__ import annotations

from run_of_events import RUN, Run
from workplace import Workplace

from shared.ids import TaskId, WorkerId
from supervisor.core.notices import StreamOver, TaskTaken
from supervisor.run.listen.silence import Silence


def test_silence_begins_when_there_is_work_and_ends_with_a_worker(small: Workplace) -> None:
    """A run that has waited for rows for a day is not stalled the moment that it has a task."""
    now_s = 0.0
    silence, run = Silence(lambda: now_s), Run(small)
    now_s = 86_400.0
    silence.turn(run.state, 10)
    run.fire(9)
    silence.turn(run.state, 10)
    assert silence.lasts_s == 0
    now_s += 600
    silence.turn(run.state, 10)
    silence.hear(StreamOver(key=9))
    assert silence.lasts_s == 600
    silence.hear(TaskTaken(task_id=TaskId(f"{RUN}/0/select/0"), worker=WorkerId("w")))
    assert silence.lasts_s == 0
