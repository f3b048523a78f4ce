"""Runs that retrain by performance, in one process."""

from __future__ import annotations

import random
from typing import Any

from one_process import OneProcess
from workplace import Workplace

from shared.messages.tasks import DetectTask
from supervisor.core.events import Observed
from supervisor.run.journal import events_in


def judged(small: Workplace, **data: Any) -> Workplace:
    """The workplace, whose labels drift; retrained when a model is worse than it was."""
    decide = {"policy": "drop", "by": 0.06}
    small.pipeline["trigger"] = {"policy": "performance", "every": 100, "decide": decide}
    small.pipeline["data"] |= data
    small.pipeline["evaluation"].pop("on", None)
    small.pipeline.pop("deployment", None)
    return small


def looks(run: OneProcess) -> list[tuple[int, str, bool]]:
    """Key, reason, and whether a trigger followed, of all looks in the journal."""
    found: list[tuple[int, str, bool]] = []
    for event in events_in(run.directory.journal_path):
        if isinstance(event, Observed):
            found += [(one.key, one.reason, False) for one in event.considered]
            found += [(one.key, one.reason, True) for one in event.triggers]
    return found


def test_every_look_says_why_whoever_is_killed(small: Workplace) -> None:
    """Also of those that fired nothing; in whatever order tasks are done, triggers and reasons are the same."""
    told = []
    for seed, risk in ((0, 0.0), (1, 0.08)):
        run = OneProcess(judged(small), random.Random(seed), risk=risk)
        run.begin()
        run.to_its_end()
        told.append(looks(run))
        small.run_dir.rename(small.folder / f"run-{seed}")
    assert told[0] == told[1]
    assert [key for key, *_ in told[0]] == list(range(99, 2_000, 100))
    fired = [reason for _, reason, fires in told[0] if fires]
    assert fired[0] == "there is no model yet, and 100 rows"
    assert 3 <= len(fired) <= 12
    assert all(" below the expected " in reason and reason.endswith("≥ 0.06") for reason in fired[1:])
    assert all(reason.endswith("< 0.06") for _, reason, fires in told[0] if not fires)


def test_a_look_knows_no_label_that_nobody_knows_yet(small: Workplace) -> None:
    """Rows are an hour apart: of those behind the newest trigger all but the last 150 are known."""
    run = OneProcess(judged(small, label_delay="150h"), random.Random(0))
    run.start()
    run.to_its_end()
    triggers = [key for key, _, fires in looks(run) if fires]
    asked = [(task, report.answer) for task, report in run.done if isinstance(task, DetectTask)]
    assert len(asked) > 10
    for task, answer in asked:
        since = task.key - max(key for key in triggers if key < task.key)
        assert answer["known"] == max(since - 150, 0)
        assert answer["n"] + answer["unlabelled"] == min(since, 250 if since > 200 else since)
