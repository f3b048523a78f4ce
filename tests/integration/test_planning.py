"""A plan has the triggers of an experiment, for the same reasons, and the same looks that led to none.

Questions about rows are answered by a local process.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from kinds_of_labels import in_a_table
from one_process import OneProcess
from workplace import HOUR_US, Workplace

from shared.config.load import load_configuration
from shared.errors import NotReadyError
from shared.ids import TriggerId
from shared.timestamps import format_timestamp
from supervisor.backtest.planning.plan import plan
from supervisor.backtest.replaying.local_answers import LocalAnswers
from supervisor.backtest.replaying.recording import open_recording
from supervisor.backtest.replaying.replay import CannotTellError, Posed
from supervisor.core.events import Observed
from supervisor.core.seen import Asked
from supervisor.run.journal import events_in
from supervisor.run.start.first_events import Scope

INPUT_DRIFT = {
    "policy": "data_drift", "every": 150, "window": {"rows": 200}, "reference": "since_trigger", "space": "input",
    "statistics": [{"name": "ks", "decide": {"policy": "p_value", "alpha": 0.05}}],
}  # fmt: skip
POLICIES: dict[str, dict[str, Any]] = {
    "data_amount": {"policy": "data_amount", "every": 370},
    "time": {"policy": "time", "every": "9d", "cool_down": "20d"},
    "schedule": {"policy": "schedule", "cron": "0 3 */9 * *", "expect": {"rows": {"least": 150}}},
    "data_drift": {**INPUT_DRIFT, "warm_up": 2},
    "ensemble": {
        "policy": "ensemble", "combine": "any", "cool_down": 400, "expect": "usual",
        "policies": {"drift": INPUT_DRIFT, "often": {"policy": "data_amount", "every": 300}},
    },
    "budget": {
        "policy": "data_amount", "every": 150,
        "budget": {"gpu_hours": 0.1, "per": "30d", "seconds_per_sample": 1.0},
    },
}  # fmt: skip


def as_run(run: OneProcess) -> tuple[list[dict[str, Any]], int, int, list[int]]:
    """Triggers, questions, near misses, and the first rows of what was not as expected, as the journal has them."""
    seen = [event for event in events_in(run.directory.journal_path) if isinstance(event, Observed)]
    triggers = [
        {"id": one.id, "key": one.key, "timestamp": format_timestamp(one.timestamp_us), "reason": one.reason}
        for event in seen
        for one in event.triggers
    ]
    questions = sum(event.question is not None for event in seen)
    violations = [one.first_key for event in seen for one in event.violations]
    return triggers, questions, sum(len(event.considered) for event in seen), violations


def as_planned(content: dict[str, Any]) -> tuple[list[dict[str, Any]], int, int, list[int]]:
    """The same of a plan."""
    triggers = [{key: one[key] for key in ("id", "key", "timestamp", "reason")} for one in content["triggers"]]
    violations = [one["first_key"] for one in content["violations"]]
    return triggers, content["questions"], len(content["near_misses"]), violations


def both(small: Workplace, **scope: Any) -> tuple[dict[str, Any], dict[str, Any], OneProcess]:
    """The plan, and the run's summary; they agree."""
    small.pipeline.pop("deployment")
    run = OneProcess(small, random.Random(1))
    content = plan(run.configuration, Scope(experiment=True, **scope))
    run.start(**scope)
    summary = run.to_its_end()
    assert as_planned(content) == as_run(run)
    assert content["untold"] is None
    assert content["triggers"], "there is something to compare"
    return content, summary, run


def selected(content: dict[str, Any], summary: dict[str, Any]) -> tuple[list[int | None], list[int]]:
    """How many rows of each trigger are selected, as it was planned and as it was."""
    planned = [one["selected_at_most"] for one in content["triggers"]]
    return planned, [one["samples_selected"] for one in summary["trigger_list"]]


@pytest.mark.parametrize("policy", POLICIES)
def test_it_fires_as_a_run_does(small: Workplace, policy: str) -> None:
    """Whatever a process tells it of rows, and counting of trainings; all rows are counted that are trained on."""
    small.pipeline["trigger"] = POLICIES[policy]
    small.pipeline["data"]["split"]["by"] = "x0"
    planned, were = selected(*both(small)[:2])
    assert planned == were


def test_a_part_of_the_stream_with_late_labels(small: Workplace) -> None:
    """Rows whose labels no trigger knows yet are not selected, and nothing fires after the last trigger."""
    small.pipeline["trigger"] = {"policy": "data_amount", "every": 100, "expect": {"rows": {"least": 10}}}
    small.pipeline["strategy"] = {"name": "new_data", "config": {"tail": 2, "limit": 200}}
    small.pipeline["data"] |= {"label_delay": "150h", "split": {"test": 0.1, "validation": 0.1}}
    content, summary, _ = both(small, start_replay_us=100 * HOUR_US, stop_replay_us=1700 * HOUR_US, maximum_triggers=9)
    planned, were = selected(content, summary)
    assert planned == were
    assert planned[0] == 0, "the first trigger has no row whose label is known"
    assert len(planned) == 9
    assert content["rows"] == 1600


def test_labels_of_a_table(tmp_path: Path) -> None:
    """A question that reads labels reads those that were known; how many rows are selected is not told."""
    small = in_a_table(tmp_path / "place", "classes")
    small.pipeline["trigger"] |= {"every": 300, "expect": {"labels": {"shares": {"2": [0, 0.05]}}}}
    content, _, _ = both(small)
    assert content["violations"]
    assert content["selected_at_most"] is None
    assert {one["selected_at_most"] for one in content["triggers"]} == {None}


@pytest.fixture
def answers(small: Workplace) -> Iterator[LocalAnswers]:
    """A process that answers for the small workplace."""
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    configuration = load_configuration(*files, experiment_mode=True)
    recording = open_recording(configuration, Scope(experiment=True), small.folder / "found")
    with LocalAnswers(recording.record, [small.folder]) as one:
        yield one


def posed(detector: str, options: dict[str, Any], **more: Any) -> Posed:
    """A question at row 99."""
    asked = Asked(key=99, timestamp_us=99 * HOUR_US, detector=detector, options=options, **more)
    return Posed(asked, 0, TriggerId(0), ())


def test_what_no_process_can_answer_is_told(answers: LocalAnswers) -> None:
    """A detector's mistake, with its name and place; a process that ended; and what only a model would know."""
    with pytest.raises(NotReadyError, match="detector drift, asked at key 99: it raised KeyError"):
        answers.answer(posed("drift", {}), None)
    with pytest.raises(CannotTellError, match="the model of trigger 3"):
        answers.answer(posed("drift", {}, needs_model=True), TriggerId(3))
    (process,) = [one for one in psutil.Process().children() if "workers.questions" in one.cmdline()]
    process.kill()
    with pytest.raises(NotReadyError, match="answers the policy's questions ended with SIGKILL"):
        answers.answer(posed("drift", {}), None)
