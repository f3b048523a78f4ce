"""A run whose policy asks workers, in one process: whoever is killed, and whatever waits, it is the same run."""

from __future__ import annotations

import random
from typing import Any

import pytest
from one_process import OneProcess
from workplace import Workplace

from shared.messages.tasks import DetectTask
from supervisor.core.events import Observed
from supervisor.run.journal import events_in

EVERY = 180  # 2,000 rows: 11 questions


def asking(small: Workplace, **options: Any) -> Workplace:
    """The workplace, whose policy asks."""
    small.pipeline["trigger"] = {"policy": "asking", "every": EVERY, **options}
    small.pipeline["evaluation"]["on"] = [{"name": "months", "window": {"every": "30d"}}]
    small.pipeline.pop("deployment", None)
    return small


def observed(run: OneProcess) -> list[Observed]:
    """Those of the journal."""
    return [event for event in events_in(run.directory.journal_path) if isinstance(event, Observed)]


def told(run: OneProcess) -> list[Any]:
    """What the journal says of the policy: triggers, near misses and questions, each once, and its last state."""
    events = observed(run)
    found: list[Any] = []
    for event in events:
        found += [("no trigger", one.key, one.reason) for one in event.considered]
        found += [("trigger", one.id, one.key, one.timestamp_us, one.reason) for one in event.triggers]
        found += [("question", event.question.key)] if event.question else []
    return [*found, events[-1].policy]


def slices(run: OneProcess) -> list[Any]:
    """Of all windows, as the state knows them."""
    return [run.state.stream.slices[number] for number in range(len(run.state.stream.slices))]


@pytest.mark.parametrize("options", [{}, {"needs_model": True}, {"twice": True, "at_most": 3, "by_day": True}])
def test_whoever_is_killed_nothing_is_asked_twice(small: Workplace, options: dict[str, Any]) -> None:
    """Between question, answer and trigger, too: triggers, near misses and slices are those of one session."""
    run = OneProcess(asking(small, **options), random.Random(1))
    run.start()
    run.to_its_end()
    whole, pieces = told(run), slices(run)
    small.run_dir.rename(small.folder / "whole")
    killed = OneProcess(small, random.Random(2), risk=0.08)
    killed.begin()
    killed.to_its_end()
    assert killed.kills
    assert (told(killed), slices(killed)) == (whole, pieces)
    asked = [task.number for task, _ in run.done if isinstance(task, DetectTask)]
    assert asked == list(range(11 * (2 if "twice" in options else 1)))
    fired = [one[2] for one in whole[:-1] if one[0] == "trigger"]
    assert fired == [2 * EVERY * number - 1 for number in range(1, 6)][: options.get("at_most")]
    assert whole[0][:2] == ("question", EVERY - 1)
    if "by_day" in options:
        assert ("no trigger", 10 * EVERY - 1, "answer 10 counted 180 rows; at most 3") in whole
        assert all(one[4].endswith("rows, by day") for one in whole[:-1] if one[0] == "trigger")


def test_a_question_about_the_current_model_waits_for_it(small: Workplace) -> None:
    """In a replay each is asked of the newest model that an earlier trigger got, whoever works when."""
    for seed in range(3):
        run = OneProcess(asking(small, needs_model=True), random.Random(seed))
        run.start()
        run.to_its_end()
        models = observed(run)[-1].policy.memory["models"]
        assert models == [None, None, 0, 0, 1, 1, 2, 2, 3, 3, 4]
        small.run_dir.rename(small.folder / f"run-{seed}")


def test_a_policy_that_hears_of_trainings_hears_of_each_in_a_replay(small: Workplace) -> None:
    """Before the next row is looked at: so it decides the same whatever the fleet."""
    asking(small).pipeline["trigger"] = {"policy": "hearing", "every": 200}
    for seed, risk in ((0, 0.0), (1, 0.0), (2, 0.08)):
        run = OneProcess(small, random.Random(seed), risk=risk)
        run.begin()
        run.to_its_end()
        assert [one[2] for one in told(run)[:-1]] == [199, 499, 899, 1399, 1999]
        heard = observed(run)[-1].policy.memory["heard"]
        assert [one[0] for one in heard] == [0, 1, 2, 3]
        assert all(samples > 0 and seconds > 0 for _, samples, seconds in heard)
        small.run_dir.rename(small.folder / f"run-{seed}")


def test_a_journal_cut_at_any_byte_behind_a_question_is_gone_on_with(small: Workplace) -> None:
    """Between question, answer and trigger, or in half a line: what drift of features leads to is the same."""
    small.pipeline["trigger"] = {"policy": "data_drift", "window": {"rows": EVERY}}
    small.pipeline["evaluation"].pop("on")
    small.pipeline.pop("deployment", None)
    run = OneProcess(small, random.Random(1))
    run.start(maximum_triggers=3)
    run.to_its_end()
    whole, journal = told(run), run.directory.journal_path.read_bytes()
    scores = (small.run_dir / "evaluations.csv").read_bytes()
    assert {"trigger", "no trigger"} <= {one[0] for one in whole[:-1]}
    decided = journal.index(b"\n", journal.index(b'"triggers":[{"id":1'))
    answered, asked = (
        journal.index(b"\n", journal.rindex(word, 0, decided)) for word in (b'"detected"', b'"detector"')
    )
    assert journal[answered:decided].count(b'"answered":true') == 1, "the trigger follows from an answer"
    for cut in (asked + 1, answered + 1, decided, decided + 1, random.Random(2).randrange(asked, len(journal))):
        run.directory.journal_path.write_bytes(journal[:cut])
        run.resume()
        run.to_its_end()
        assert told(run) == whole
        assert (small.run_dir / "evaluations.csv").read_bytes() == scores
