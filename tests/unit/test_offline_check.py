"""The check in a process of its own says what is wrong, whatever else is printed there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from packages import install
from workplace import PROJECT, environment

from shared.config.pipeline import Pipeline
from shared.messages.reports import Finding
from tests.unit.training.samples import model, pipeline

TALKING = """
import os
import sys
import torch

print("I am a model that talks")
os.write(1, b"so is what is written in C")
{more}


class Net(torch.nn.Module):
    def __init__(self, in_features):
        super().__init__()
"""


def checked(folder: Path, more: str = "") -> subprocess.CompletedProcess[bytes]:
    """The check of a model whose module prints when it is imported."""
    (folder / "talking.py").write_text(TALKING.format(more=more))
    return check_of(pipeline(model("talking:Net")), folder)


def check_of(wanted: Pipeline, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """The check of a pipeline where what lies in this folder is installed."""
    request = msgspec.json.encode([wanted, ["talking"]])
    path = f"{environment()['PYTHONPATH']}{os.pathsep}{folder}"
    command = [sys.executable, "-m", "workers.offline_check"]
    env = {**environment(), "PYTHONPATH": path}
    return subprocess.run(command, input=request, capture_output=True, check=False, cwd=PROJECT, env=env)


def test_what_a_model_prints_is_no_finding(tmp_path: Path) -> None:
    """Standard output holds the findings alone; the rest is there for who looks for it."""
    done = checked(tmp_path)
    (found,) = msgspec.json.decode(done.stdout, type=tuple[Finding, ...])
    assert found.path == "model.config.num_classes"
    assert b"I am a model that talks" in done.stderr
    assert b"so is what is written in C" in done.stderr


def test_a_module_that_exits_is_a_finding(tmp_path: Path) -> None:
    """A script that was named by mistake ends itself, and not the check."""
    (found,) = msgspec.json.decode(checked(tmp_path, "sys.exit(3)").stdout, type=tuple[Finding, ...])
    assert (found.path, "cannot be imported: SystemExit: 3" in found.sentence) == ("model.id", True)


def test_what_ended_the_check_is_the_last_line(tmp_path: Path) -> None:
    """What was printed before stands before it."""
    done = checked(tmp_path, "raise KeyboardInterrupt('stop here')")
    assert done.returncode != 0
    assert done.stdout == b""
    assert done.stderr.decode().strip().endswith("KeyboardInterrupt: stop here")


COUNTS = """
from shared.metrics.metric import MetricKind


class Counts(MetricKind):
    task = "classification"
    greater_is_better = True

    @classmethod
    def gauge(cls, options, classes):
        return Gauge()


class Gauge:
    def update(self, outputs, labels):
        self.rows = len(labels)

    def compute(self):
        return self.{what}
"""


@pytest.mark.parametrize(("what", "found"), [("rows", 0), ("rwos", 1)])
def test_a_metric_is_computed_before_anything_is_trained(tmp_path: Path, what: str, found: int) -> None:
    """One of somebody's own that raises would end the run after its first training."""
    install(tmp_path, "counting", "modyn.metrics", {"counts": "Counts"}, COUNTS.format(what=what))
    done = check_of(pipeline(metrics=("accuracy", "counts")), tmp_path)
    findings = msgspec.json.decode(done.stdout, type=tuple[Finding, ...])
    assert len(findings) == found
    for one in findings:
        assert (one.path, one.exit_code) == ("evaluation.metrics", 2)
        assert "counts cannot be computed, tried on made-up predictions: AttributeError" in one.sentence
        assert "(counting.py:" in one.sentence
