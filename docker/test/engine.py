"""The Docker engine as the test uses it, and the fleet of compose.yaml on it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
VERSION = "test"  # tag of the images


def say(told: str) -> None:
    """A line on what has been done."""
    print(f"{time.strftime('%H:%M:%S')} {told}", flush=True)


def require(is_so: bool, told: str) -> None:
    """End with a sentence unless something is as it should be."""
    if not is_so:
        sys.exit(f"error: {told}")


class Engine:
    """Commands of docker and docker-compose, with what compose.yaml asks the shell for."""

    def __init__(self, work: Path, secrets: dict[str, Path]) -> None:
        """`secrets`: their files, by their names in compose.yaml."""
        self.secrets = [file.read_text().rpartition(":")[2] for file in secrets.values()]
        self.flower_credentials = secrets["flower_basic_auth"].read_text()
        self._variables = {
            "DOCKER_BUILDKIT": "0",  # not every engine has it; the shell may say otherwise
            **os.environ,
            "MODYN_FOLDER": str(work),
            "MODYN_CONFIG": "fleet.yaml",
            "MODYN_RUN": "runs/containers",
            "MODYN_OPTIONS": "--experiment-mode",
            "MODYN_VERSION": VERSION,
            "COMPOSE_PROFILES": "flower,monitoring",
            "FLOWER_PORT": "0",  # any that is free
            "PROMETHEUS_PORT": "0",
            "PROMETHEUS_FOLDER": str(work / "prometheus"),
            **{f"{name}_FILE".upper(): str(file) for name, file in secrets.items()},
        }
        self.run_dir = work / "runs" / "containers"
        self.docker("version")
        is_new = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0
        file = PROJECT / "docker" / "compose.yaml"
        self._compose = ["docker", "compose"] if is_new else ["docker-compose"]
        self._compose += ["--project-name", "modyn-test", "--file", str(file)]

    def docker(self, *words: str) -> str:
        """What a command of docker says; ends with a sentence if it fails."""
        return self._ask(["docker", *words])

    def compose(self, *words: str) -> str:
        """What a command of docker-compose says; ends with a sentence if it fails."""
        return self._ask([*self._compose, *words])

    def containers(self, service: str) -> list[str]:
        """The containers of a service."""
        return self.compose("ps", "--quiet", service).split()

    def address(self, service: str, port: int) -> str:
        """Where a port of a service can be reached from this machine."""
        return self.compose("port", service, str(port)).strip()

    def megabytes(self, image: str) -> float:
        """What an image takes."""
        return int(self.docker("image", "inspect", "--format", "{{.Size}}", f"{image}:{VERSION}")) / 1e6

    def _ask(self, command: list[str]) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=self._variables)
        require(done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout
