"""What containers are started with, as far as no Docker engine is needed: scripts of the images, and compose.yaml."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from workplace import PROJECT

IMAGE = PROJECT / "docker" / "image"


def tell(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run one of the scripts with these variables."""
    environment = {**os.environ, **variables}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=60)


def test_a_secret_is_a_variable(tmp_path: Path) -> None:
    """Of its name in capitals, whatever characters stand in it; what is no secret's name is left alone."""
    (tmp_path / "hook").write_text('it\'s $HOME "and" `more`\n')
    (tmp_path / "kubernetes.io").mkdir()
    command = (str(IMAGE / "with-secrets"), "sh", "-c", 'printf %s "$HOOK"; exit 5')
    done = tell(*command, MODYN_SECRETS=str(tmp_path))
    assert (done.returncode, done.stdout) == (5, 'it\'s $HOME "and" `more`'), done.stderr


def test_without_secrets_the_command_runs(tmp_path: Path) -> None:
    """As it does for `--help`."""
    assert tell(str(IMAGE / "with-secrets"), "echo", "run", MODYN_SECRETS=str(tmp_path / "none")).stdout == "run\n"


@pytest.mark.parametrize(
    ("lies_there", "given"),
    [(False, "p.yaml c.yaml --experiment-mode --run-dir {run}"), (True, "p.yaml c.yaml --run-dir {run} --resume")],
    ids=["new", "begun"],
)
def test_a_supervisor_begins_its_run_once(tmp_path: Path, lies_there: bool, given: str) -> None:
    """A container that is started again goes on with the run that lies there."""
    told = tmp_path / "modyn-supervisor"
    told.write_text('#!/bin/sh\necho "$@"\n')
    told.chmod(0o755)
    run = tmp_path / "run"
    run.mkdir()
    if lies_there:
        (run / "journal.jsonl").write_text("{}\n")
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = tell(str(IMAGE / "supervise"), "p.yaml", "c.yaml", "--experiment-mode", MODYN_RUN_DIR=str(run), PATH=path)
    assert done.stdout.strip() == given.format(run=run)


def test_nobody_in_the_fleet_may_do_more_than_it_must() -> None:
    """Every service has a read-only root, no capabilities, a user that is not root, and its secrets from files."""
    services: dict[str, dict[str, Any]] = yaml.safe_load((PROJECT / "docker" / "compose.yaml").read_text())["services"]
    assert {"redis", "supervisor", "train", "train-gpu", "evaluate", "flower"} <= set(services)
    for name, service in services.items():
        if not service.get("image", "").startswith(("modyn-", "${REDIS_IMAGE")):
            continue  # somebody else's
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["user"] in ("redis", "${MODYN_USER:-10001:10001}"), name
        assert "redis_password" in service["secrets"], name
        assert not any("PASSWORD" in str(one) for one in (service.get("environment"), service.get("command"))), name
