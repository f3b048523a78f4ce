"""Runs that retrain by performance, in one process."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from kinds_of_labels import ROWS, in_a_table, labels_of
from one_process import OneProcess
from workplace import HOUR_US, Workplace

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


def test_a_cusum_sums_what_each_row_adds_once_whoever_is_killed(small: Workplace) -> None:
    """Also where labels come late; the sums in the journal are those of a plain loop over the scores of all looks."""
    told = []
    for seed, risk in ((0, 0.0), (1, 0.08)):
        place = judged(small, label_delay="30h")
        place.pipeline["trigger"]["decide"] = {"policy": "cusum", "threshold": 12, "slack": 0.02}
        run = OneProcess(place, random.Random(seed), risk=risk)
        run.begin()
        run.to_its_end()
        told.append(looks(run))
        if not risk:
            answers = {task.key: report.answer for task, report in run.done if isinstance(task, DetectTask)}
        small.run_dir.rename(small.folder / f"run-{seed}")
    assert told[0] == told[1]
    total, expected, sums = 0.0, {}, 0
    for key, reason, fires in told[0]:
        if key in answers and answers[key]["score"] is not None and "CUSUM" in reason:
            answer = answers[key]
            if answer["expected"] is not None:
                expected[answer["model"]] = answer["expected"]
            worse = expected[answer["model"]] - answer["score"]
            total, sums = max(total + answer["n"] * (worse - 0.02), 0.0), sums + 1
            assert abs(float(reason.split()[5]) - total) <= 0.006 * max(total, 1)
            assert fires == (total >= 12)
        total = 0.0 if fires else total
    assert sums >= 15
    assert 2 <= sum(fires for *_, fires in told[0]) <= 12


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


def test_of_a_table_of_labels_each_row_counts_once(tmp_path: Path) -> None:
    """At the first look at which its label is known: here 30 hours after the row, or 300 for every third."""
    small = in_a_table(tmp_path / "late", "texts")
    keys = np.arange(ROWS)
    known_h = keys + np.where(keys % 3, 30, 300)
    known_at = pa.array(known_h * HOUR_US, pa.timestamp("us", tz="UTC"))
    ids, labels = [f"row {key}" for key in keys], labels_of("texts")
    pq.write_table(pa.table({"id": ids, "label": labels, "known_at": known_at}), tmp_path / "late/labels/0.parquet")
    for number in (1, 2):
        (tmp_path / f"late/labels/{number}.parquet").unlink()
    never = {"policy": "threshold", "threshold": 0.0, "warm_up": 1_000}
    small.pipeline["trigger"] = {"policy": "performance", "every": 100, "decide": never}
    small.pipeline["evaluation"].pop("on")
    small.pipeline.pop("deployment")
    run = OneProcess(small, random.Random(0))
    run.start()
    run.to_its_end()
    since = [key for key, _, fires in looks(run) if fires][-1]
    counts = {task.key: report.answer["n"] for task, report in run.done if isinstance(task, DetectTask)}
    ends = [since, *(key for key in counts if key > since)]
    known_keys = np.sort(np.maximum(known_h, keys)[since + 1 :])  # rows are an hour apart
    assert [counts[key] for key in ends[1:]] == np.diff(np.searchsorted(known_keys, ends, side="right")).tolist()
    assert len(ends) > 5
