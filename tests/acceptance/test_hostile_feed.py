"""The hostile feed, in short: a run that follows a folder outlasts whatever is done to the files in it."""

from __future__ import annotations

import subprocess
import sys

from workplace import PROJECT, environment


def test_a_run_outlasts_what_producers_do_to_files() -> None:
    """Half-written, cut, growing, empty and bad files: it never ends, trains on exactly the rows that were written
    whole, each once, tells each thing once, and shows what it does not read; also when it is resumed in the midst."""
    command = [sys.executable, "-m", "benchmarks.hostile_feed", "--seed", "1", "--triggers", "30", "--over-s", "8"]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=330, cwd=PROJECT, env=environment()
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 sessions" in done.stdout
