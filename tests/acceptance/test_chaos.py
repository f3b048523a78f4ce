"""The chaos harness, in short: one run under faults of several kinds ends as an undisturbed one."""

from __future__ import annotations

import json
import subprocess
import sys

from workplace import PROJECT, environment

_AT_A_QUESTION = ("kill_supervisor_asked", "kill_supervisor_answered")
_KINDS = (*_AT_A_QUESTION, "kill_redis", "stop_worker", "stop_supervisor", "wipe_redis")


def test_a_run_under_faults_ends_as_an_undisturbed_one() -> None:
    """Killed supervisor and Redis, stopped worker, wipes: no trigger lost, nothing twice, not a byte different.

    Its policy asks workers about drift, and the supervisor is killed between question, answer and trigger.
    """
    command = [sys.executable, "-m", "benchmarks.chaos", "--faults", "3", "--per-run", "5", "--seed", "4"]
    command += ["--scenes", "drift", "--kinds", *_KINDS]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=500, cwd=PROJECT, env=environment()
    )
    assert done.returncode == 0, done.stdout + done.stderr
    run = json.loads(done.stdout.splitlines()[0])
    assert sum(run["faults"].values()) >= 3
    assert set(_AT_A_QUESTION) & set(run["faults"])
    counts = ("lost_triggers", "duplicate_commits", "overwritten_models", "bodies_effective_twice")
    assert {name: run[name] for name in counts} == dict.fromkeys(counts, 0)
    assert (run["status"], run["differing_files"]) == ("finished", [])
