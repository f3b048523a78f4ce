"""A run that fails, and cannot write what it came to either."""

from __future__ import annotations

import os
import subprocess

from workplace import PROJECT, Workplace, environment

_POLICY = """
from pathlib import Path

from shared.config import fields as f
from supervisor.triggers.policy import TriggerPolicy

class Failing(TriggerPolicy):
    class Schema(f.Group):
        pass

    def __init__(self, options, start):
        pass

    def observe(self, batch, state):
        Path("PLACE/summary.json/in the way").mkdir(parents=True)
        raise ValueError("the first of two")
"""


def test_what_went_wrong_first_is_what_is_told(small: Workplace) -> None:
    """That the summary cannot be written either hides nothing, and the journal says why the run ended."""
    metadata = small.folder / "installed" / "failing-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: failing\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[modyn.triggers]\nfailing = failing_policy:Failing\n")
    (metadata.parent / "failing_policy.py").write_text(_POLICY.replace("PLACE", str(small.run_dir)))
    small.pipeline["trigger"] = {"policy": "failing"}
    small.write()
    files = (str(small.folder / "pipeline.yaml"), str(small.folder / "config.yaml"))
    command = small.command("run", *files, "--run-dir", str(small.run_dir), "--experiment-mode")
    variables = {**environment(), "PYTHONPATH": f"{PROJECT}{os.pathsep}{metadata.parent}"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=200, cwd=PROJECT, env=variables)
    assert done.returncode == 1
    assert "error: trigger policy failing raised ValueError: the first of two" in done.stderr
    assert '"failed"' in (small.run_dir / "journal.jsonl").read_text().splitlines()[-1]
