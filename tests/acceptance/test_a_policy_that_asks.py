"""A policy asks workers: whoever is killed meanwhile, each question is answered once, and the run is the same."""

from __future__ import annotations

import json
import os
from typing import Any

from running import Running
from workplace import PROJECT, Workplace

EVERY = 220  # 2,000 rows: nine questions, every third fires
_PATHS = f"{PROJECT}{os.pathsep}{PROJECT / 'tests' / 'support'}"  # there stands the package that brings the policy


def started(small: Workplace, *options: str) -> Running:
    """A run of the pipeline."""
    files = [str(small.folder / name) for name in ("pipeline.yaml", "config.yaml")]
    return Running(small.command("run", *files, "--run-dir", str(small.run_dir), *options), PYTHONPATH=_PATHS)


def journal(small: Workplace) -> list[dict[str, Any]]:
    """All its lines."""
    return [json.loads(line) for line in (small.run_dir / "journal.jsonl").read_text().splitlines()]


def test_supervisors_are_killed_between_question_and_trigger(small: Workplace) -> None:
    """After a near miss, after a trigger, and while a model is waited for."""
    small.pipeline["trigger"] = {"policy": "asking", "every": EVERY, "fires": 3, "needs_model": True}
    small.write()
    with started(small, "--experiment-mode") as run:
        run.wait_for(f"no trigger at key {EVERY - 1}: answer 1 counted {EVERY} rows")
        run.process.kill()
        run.wait()
    for text in ("→ trigger 0 at key 659", "→ trigger 1 at key 1319"):
        with started(small, "--resume") as run:
            run.wait_for(text)
            run.process.kill()
            run.wait()
    with started(small, "--resume") as run:
        assert run.wait() == 0, run.said
    seen = [event for event in journal(small) if event["event"] == "observed"]
    asked = [event["question"]["key"] for event in seen if event["question"]]
    assert asked == [EVERY * number - 1 for number in range(1, 10)]
    assert [event["key"] for event in seen if event["answered"]] == asked
    triggers = small.summary()["trigger_list"]
    assert [(one["key"], one["reason"]) for one in triggers] == [
        (659, "answer 3 counted 220 rows"), (1319, "answer 6 counted 220 rows"), (1979, "answer 9 counted 220 rows"),
    ]  # fmt: skip
    assert seen[-1]["policy"]["memory"]["models"] == [None, None, None, 0, 0, 0, 1, 1, 1]
