"""Builds the images, has the flights run on the fleet of compose.yaml with Prometheus and Flower beside it and a train
container killed on the way, and compares what that made with the same run without containers: `make docker-test`.

It needs a Docker engine, Docker Compose (or docker-compose 1.29), and the data of examples/flights. The shell may name
another BASE_IMAGE, REDIS_IMAGE and PROMETHEUS_IMAGE, and in WHEELS a folder of wheels that is used instead of a
registry.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import images
from comparison import compare
from engine import PROJECT, Engine, require, say
from fleet import run_on_fleet

EXAMPLE = PROJECT / "examples" / "flights"


def main() -> None:
    """Build, run, kill, compare; ends with a sentence and code 1 for what is not as it should be."""
    prepared = bool(list((EXAMPLE / "data").glob("*.parquet")))
    require(prepared, f"{EXAMPLE}/data is empty; run .venv/bin/python examples/flights/prepare.py first.")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="modyn-docker-")))
        work = workplace(folder / "work")
        engine = Engine(work, secret_files(folder / "secrets"))
        engine.compose("--profile", "gpu", "config", "--quiet")
        images.build(engine)
        images.check(engine)
        alone = run_alone(work)
        stack.callback(engine.compose, "down", "--volumes", "--timeout", "30")
        compare(alone, run_on_fleet(engine))
    say("the same triggers, training sets, weights and scores as without containers")


def workplace(folder: Path) -> Path:
    """The example in a folder that the users of containers may enter and write to."""
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("runs", "deployed"))
    hasty_prometheus(folder / "prometheus")
    folder.parent.chmod(0o755)
    give_away(folder)
    return folder


def hasty_prometheus(folder: Path) -> None:
    """Prometheus' configuration as docker/monitoring has it, but for how often it looks: the run does not last."""
    shutil.copytree(PROJECT / "docker" / "monitoring", folder)
    file = folder / "prometheus.yml"
    file.write_text(file.read_text().replace("15s", "1s"))


def give_away(folder: Path) -> None:
    """Let the user of the containers write there."""
    if os.getuid() == 0:
        subprocess.run(["chown", "-R", f"{images.USER}:{images.USER}", str(folder)], check=True)
    else:
        subprocess.run(["chmod", "-R", "a+rwX", str(folder)], check=True)


def secret_files(folder: Path) -> dict[str, Path]:
    """Passwords. Their folder keeps others out; each file lets in the users of containers, who see only it."""
    folder.mkdir(mode=0o700)
    made = {"redis_password": secrets.token_hex(24), "flower_basic_auth": f"me:{secrets.token_hex(12)}"}
    for name, secret in made.items():
        (folder / name).write_text(secret)
        (folder / name).chmod(0o444)
    return {name: folder / name for name in made}


def run_alone(work: Path) -> Path:
    """The run without containers; its directory."""
    run_dir = work / "runs" / "alone"
    command = [sys.executable, "-m", "supervisor", str(work / "pipeline.yaml"), str(work / "config.yaml")]
    variables = {**os.environ, "PYTHONPATH": str(PROJECT)}
    subprocess.run([*command, "--experiment-mode", "--quiet", "--run-dir", str(run_dir)], check=True, env=variables)
    give_away(work)
    say("ran it without containers")
    return run_dir


if __name__ == "__main__":
    main()
