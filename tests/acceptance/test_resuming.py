"""What --resume takes over, and what it refuses."""

from __future__ import annotations

import json
import socket

from running import Running
from workplace import Workplace


def test_options_that_belong_to_a_new_run_are_refused(small: Workplace) -> None:
    """The stretch of the stream and the number of triggers are those the run was started with."""
    for option, value in (("--maximum-triggers", "1"), ("--stop-replay-at", "2020-01-01")):
        done = small.run("--resume", "--experiment-mode", option, value)
        assert (done.returncode, f"{option} cannot be changed with --resume" in done.stderr) == (2, True), done.stderr


def test_a_mended_trigger_is_no_failure_and_the_mode_comes_from_the_journal(small: Workplace) -> None:
    """A model that raises ends the run; mended and resumed, nothing of the failure is left in the summary.

    Mended code is named before anything starts, and tried: what cannot be built is exit 2. A file that has come since
    is none of the replay's, and may be bad.
    """
    module = small.folder / "chaos_models.py"
    module.write_text(_MODEL.replace("BROKEN", "len(x) > 100"))
    small.config["trusted_modules"] = ["chaos_models"]
    small.pipeline["model"] = {"id": "chaos_models:Net"}
    small.pipeline["evaluation"]["on"].insert(1, {"name": "nexttest", "window": "until_next_trigger", "split": "test"})
    failed = small.run("--experiment-mode")
    assert failed.returncode == 1, failed.stderr
    assert "Traceback" not in failed.stderr
    assert small.summary()["failed_triggers"][0]["id"] == 0
    reports = [
        json.loads(line).get("report", {}) for line in (small.run_dir / "journal.jsonl").read_text().splitlines()
    ]
    assert any("in forward" in report.get("traceback", "") for report in reports)
    module.write_text(_MODEL.replace("BROKEN", "False").replace("in_features, 2", "in_features, nothing"))
    broken = small.run("--resume")
    assert (broken.returncode, "name 'nothing' is not defined" in broken.stderr) == (2, True), broken.stderr
    assert "! chaos_models.py has changed since the run was at work last" in broken.stderr
    module.write_text(_MODEL.replace("BROKEN", "False"))
    (small.folder / "data" / "part-9.parquet").write_bytes(b"PAR1")
    done = small.run("--resume")
    assert done.returncode == 0, done.stderr
    assert "chaos_models.py has changed" in done.stderr
    summary = small.summary()
    assert (summary["mode"], summary["failed_triggers"], summary["deployed"]) == ("experiment", [], 3)
    assert sum(",nexttest,,test,accuracy," in row for row in small.evaluations()) == 3


def test_validate_offline_finds_a_model_beside_the_configuration(small: Workplace) -> None:
    """A trusted module lies where the workers will find it, too."""
    (small.folder / "chaos_models.py").write_text(_MODEL.replace("BROKEN", "False"))
    small.config["trusted_modules"] = ["chaos_models"]
    small.pipeline["model"] = {"id": "chaos_models:Net"}
    small.write()
    done = small.tell("validate", "pipeline.yaml", "config.yaml", "--experiment-mode", "--offline")
    assert (done.returncode, "can be made" in done.stdout) == (0, True), done.stderr


def test_keys_that_moved_are_refused(on_fleet: Workplace) -> None:
    """A manifest that was removed, and made anew by another run with an earlier file in it, gives rows other keys."""
    on_fleet.config["notification"] = {"every": "0.1s"}
    del on_fleet.pipeline["deployment"]  # the other run, which is newer, must not take the target
    with Running.pipeline(on_fleet) as run:
        run.wait_for("model 3 committed")
        assert run.end() == 0
    (on_fleet.folder / "runs/datasets/rows.jsonl").unlink()
    (on_fleet.folder / "data/a-part.parquet").write_bytes((on_fleet.folder / "data/part-0.parquet").read_bytes())
    assert on_fleet.run("--experiment-mode", "--maximum-triggers", "1", run_dir="other").returncode == 0
    done = on_fleet.run("--resume")
    assert (done.returncode, "gives other keys than this run has followed" in done.stderr) == (1, True), done.stderr
    (on_fleet.folder / "runs/datasets/rows.jsonl").unlink()
    with Running.pipeline(on_fleet, "--resume") as run:
        run.wait_for("model 5 committed")
        assert run.end() == 0


def test_two_supervisors_on_one_run(on_fleet: Workplace) -> None:
    """The second is refused, and the first goes on."""
    with Running.pipeline(on_fleet) as run:
        run.wait_for("model 0 committed")
        second = on_fleet.run("--resume")
        assert second.returncode == 3, second.stderr
        assert f"another supervisor, process {run.process.pid} on {socket.gethostname()}, is working" in second.stderr
        run.wait_for("model 3 deployed")
        assert run.end() == 0


def test_a_second_signal_ends_at_once(on_fleet: Workplace) -> None:
    """Exit 1, and nothing is left running; the run can be resumed."""
    with Running.pipeline(on_fleet) as run:
        run.wait_for("model 0 committed")
        run.process.send_signal(2)
        run.wait_for("stopping (SIGINT)")
        assert run.end(2) == 1
    with Running.pipeline(on_fleet, "--resume") as run:
        run.wait_for("model 3 deployed")
        assert run.end() == 0


_MODEL = """
from torch import nn

class Net(nn.Module):
    def __init__(self, in_features):
        super().__init__()
        self.line = nn.Linear(in_features, 2)

    def forward(self, x):
        if self.training and BROKEN:
            raise ValueError("it broke")
        return self.line(x)
"""
