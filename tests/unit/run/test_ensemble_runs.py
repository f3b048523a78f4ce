"""A run whose policies vote and ask workers, in one process: whoever is killed, it is the same run."""

from __future__ import annotations

import random
from typing import Any

from one_process import OneProcess
from workplace import Workplace

from shared.messages.tasks import DetectTask
from supervisor.core.events import Observed
from supervisor.run.journal import events_in

TRIGGER = {
    "policy": "ensemble",
    "policies": {
        "often": {"policy": "asking", "every": 180, "twice": True},
        "seldom": {"policy": "asking", "every": 360, "warm_up": 1},
        "nightly": {"policy": "ensemble", "policies": [{"policy": "schedule", "cron": "0 3 */9 * *"}]},
    },
    "combine": {"at_least": 2},
    "within": 800,
    "cool_down": 800,
}


def told(run: OneProcess) -> list[Any]:
    """What the journal says of the policy."""
    found: list[Any] = []
    for event in events_in(run.directory.journal_path):
        if isinstance(event, Observed):
            found += [*event.considered, *((one.key, one.reason) for one in event.triggers), event.question]
    return [one for one in found if one is not None]


def test_votes_and_questions_outlast_a_kill(small: Workplace) -> None:
    """Two ask at one row, one of them twice: nothing is asked again, and all is decided as in one session."""
    small.pipeline["trigger"] = TRIGGER
    small.pipeline.pop("deployment", None)
    run = OneProcess(small, random.Random(1))
    run.start()
    run.to_its_end()
    whole = told(run)
    assert len([task for task, _ in run.done if isinstance(task, DetectTask)]) == 11 * 2 + 5
    assert [one[0] for one in whole if isinstance(one, tuple)]
    small.run_dir.rename(small.folder / "whole")
    killed = OneProcess(small, random.Random(2), risk=0.08)
    killed.begin()
    killed.to_its_end()
    assert killed.kills
    assert told(killed) == whole
