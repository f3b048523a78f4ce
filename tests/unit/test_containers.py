"""What containers are started with, as far as no Docker engine is needed: scripts of the images, and compose.yaml."""

from __future__ import annotations

import os
import re
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
    known = compose()
    assert {"redis", "supervisor", "train", "train-gpu", "evaluate", "flower"} < set(known["services"])
    for name, service in known["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["user"] in ("redis", "${MODYN_USER:-10001:10001}", "65534:65534", "472:0"), name
        assert set(service.get("secrets", ())) <= set(known["secrets"]), name
        told = {**service.get("environment", {}), "command": service.get("command")}
        assert all("/run/secrets/" in str(one) for key, one in told.items() if "PASSWORD" in f"{key}{one}"), name
    assert all("redis_password" in service["secrets"] for service in ours(known).values())


def test_only_this_machine_reaches_a_port() -> None:
    """And each port is a variable: another program may have it."""
    published = [port for service in compose()["services"].values() for port in service.get("ports", ())]
    assert len(published) == 3
    for port in published:
        assert re.fullmatch(r"127\.0\.0\.1:\$\{[A-Z]+_PORT:-(\d+)\}:\1", port), port


def test_every_image_of_others_has_a_version_and_may_be_another() -> None:
    """What is pulled today is what was pulled when it was tried."""
    known = compose()
    others = [one["image"] for name, one in known["services"].items() if name not in ours(known)]
    assert len(others) == 3
    for image in others:
        assert re.fullmatch(r"\$\{[A-Z]+_IMAGE:-[a-z/]+:v?\d+\.\d+[.\w-]*\}", image), image


def test_what_is_mounted_from_here_is_here() -> None:
    """And nobody can write to it. Volumes have names that are declared."""
    known = compose()
    for name, service in known["services"].items():
        for mount in service["volumes"]:
            source, _, rest = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", mount).partition(":")
            if source.startswith("./"):
                assert (PROJECT / "docker" / source).is_dir(), (name, source)
                assert rest.endswith(":ro"), (name, source)
            else:
                assert source in {*known["volumes"], "${MODYN_FOLDER"}, (name, source)


def compose() -> dict[str, Any]:
    """What compose.yaml says."""
    known: dict[str, Any] = yaml.safe_load((PROJECT / "docker" / "compose.yaml").read_text())
    return known


def ours(known: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The services that run an image of ours."""
    return {name: one for name, one in known["services"].items() if one["image"].startswith("modyn-")}
