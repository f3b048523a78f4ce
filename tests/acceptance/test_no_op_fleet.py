"""The double that stands for a fleet where the supervisor alone is measured."""

from __future__ import annotations

import json
import subprocess
import sys

from workplace import PROJECT, environment


def test_the_double_carries_a_run_to_its_end() -> None:
    """It understands what a supervisor sends and is understood: chords, gates and slices, to the last trigger.

    Who asks for metrics all the while reads as many series at the end as when half of the triggers had a model.
    """
    command = [sys.executable, "-m", "benchmarks.many_triggers", "--triggers", "100", "--windows"]
    command += ["--scrape-every", "0.05"]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=120, cwd=PROJECT, env=environment()
    )
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["triggers"] == 100, done.stdout + done.stderr
    assert told["journal_bytes_per_trigger"] > 0
    assert told["scrapes"] > 2
    assert told["new_series"] == []
