"""A scene: a small stream, both YAML files, and the processes of one run, in a folder of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import redis
import yaml

from benchmarks.chaos import held
from benchmarks.chaos.kinds import KINDS
from shared.broker import connect
from shared.fleet import read_fleet
from supervisor.system.embedded_broker import find_broker, server_program

PROJECT = Path(__file__).resolve().parents[2]
LEASE_S = 2.0
_MODULES = f"{PROJECT}{os.pathsep}{held.INSTALLED}"
_WORKERS = ("train-0", "train-1", "evaluate-0")  # of a cluster


@dataclass
class Scene:
    """One run and what belongs to it. `cluster`: Redis and workers are not the supervisor's own."""

    folder: Path
    cluster: bool = False
    kind: str = "in_line"  # in KINDS
    supervisor: subprocess.Popen[bytes] | None = None
    broker: subprocess.Popen[bytes] | None = None
    broker_from_s: float = 0.0  # Redis is away until then
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    copies: int = 0  # of the run directory that were made
    copies_let_in: int = 0  # those whose supervisor was not refused beside the original's

    @property
    def disk(self) -> Path:
        """Where the run directory lies, and nothing else: a small file system, where this user may mount one."""
        return self.folder / "disk"

    @property
    def run_dir(self) -> Path:
        """The run directory."""
        return self.disk / "run"

    @property
    def journal(self) -> Path:
        """Its journal."""
        return self.run_dir / "journal.jsonl"

    @property
    def held(self) -> Path:
        """Where processes are told at which point of a selection to wait."""
        return self.folder / "held"

    def set(self) -> None:
        """Write data and files; in a cluster start Redis and workers."""
        (self.folder / "data").mkdir(parents=True)
        self.held.mkdir()
        self.disk.mkdir(exist_ok=True)
        pq.write_table(KINDS[self.kind].rows(), self.folder / "data/rows.parquet")
        fleet = {"train": 0, "evaluate": 0} if self.cluster else {"train": 2, "evaluate": 1}
        config: dict[str, Any] = {
            "storage": {"datasets": {"rows": {"uri": "data/*.parquet"}}},
            "fleet": {**fleet, "device": "cpu"},
            "lease": f"{LEASE_S:g}s",
        }
        if self.cluster:
            config["broker"] = {"url": f"redis+socket://{self.folder}/r.sock"}
        (self.folder / "pipeline.yaml").write_text(yaml.safe_dump(KINDS[self.kind].pipeline, sort_keys=False))
        (self.folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
        if self.cluster:
            self.keep_cluster()
            client = self.client()
            while client is not None and len(read_fleet(client)) < len(_WORKERS):
                time.sleep(0.1)

    def keep_cluster(self) -> None:
        """Start again what is dead of a cluster's Redis and workers."""
        if not self.cluster:
            return
        if (self.broker is None or self.broker.poll() is not None) and time.monotonic() >= self.broker_from_s:
            options = ["--port", "0", "--unixsocket", f"{self.folder}/r.sock", "--appendonly", "yes", "--save", ""]
            command = [server_program(), *options, "--dir", str(self.folder), "--appendfsync", "always"]
            self.broker = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            while not self._broker_answers():
                time.sleep(0.02)
        for name in _WORKERS:
            if name not in self.workers or self.workers[name].poll() is not None:
                self.workers[name] = self._start(
                    "worker", "config.yaml", "--role", name.split("-")[0], "--device", "cpu"
                )

    def start(self, *, resume: bool) -> None:
        """Start the supervisor, or resume the run, once Redis can be there."""
        while time.monotonic() < self.broker_from_s:
            time.sleep(0.1)
        self.keep_cluster()
        options = ["--experiment-mode", "--run-dir", str(self.run_dir), *(["--resume"] if resume else [])]
        self.supervisor = self._start("run", "pipeline.yaml", "config.yaml", *options)

    def resume_in(self, run_dir: Path) -> subprocess.Popen[bytes]:
        """A second supervisor, which resumes the run in another directory."""
        options = ["--experiment-mode", "--run-dir", str(run_dir), "--resume"]
        return self._start("run", "pipeline.yaml", "config.yaml", *options, log="copies.log")

    def end(self) -> None:
        """End everything that was started here."""
        for process in (self.supervisor, *self.workers.values(), self.broker):
            if process is not None:
                end_family(process)

    def client(self) -> redis.Redis | None:
        """A client of the run's Redis, if that answers."""
        url = f"redis+socket://{self.folder}/r.sock" if self.cluster else find_broker(str(self.folder / "runs"))
        return None if url is None else connect(url)

    def worker_processes(self, role: str = "") -> list[psutil.Process]:
        """Main processes of the workers; of one role only."""
        family = self._family()
        if self.cluster:
            family = [psutil.Process(one.pid) for one in self.workers.values() if one.poll() is None]
        return [one for one in family if _says(one, "worker") and _says(one, f"--role {role}")]

    def children(self, role: str = "") -> list[psutil.Process]:
        """Pool children of the workers; of one role only."""
        found = []
        for worker in self.worker_processes(role):
            found += [one for one in _children(worker) if _says(one, "--billiard-fork")]
        return found

    def broker_pid(self) -> int | None:
        """The process of the run's Redis."""
        if self.cluster:
            return None if self.broker is None else self.broker.pid
        servers = [one for one in self._family() if _says(one, "redis.sock")]
        return servers[0].pid if servers else None

    def _family(self) -> list[psutil.Process]:
        if self.supervisor is None or self.supervisor.poll() is not None:
            return []
        return _children(psutil.Process(self.supervisor.pid))

    def _broker_answers(self) -> bool:
        try:
            return bool(connect(f"redis+socket://{self.folder}/r.sock").ping())
        except redis.RedisError:
            return False

    def _start(self, *arguments: str, log: str | None = None) -> subprocess.Popen[bytes]:
        name = log or ("workers.log" if arguments[0] == "worker" else "log")
        with (self.folder / name).open("ab") as said:
            return subprocess.Popen(
                [sys.executable, "-m", "supervisor", *arguments],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": _MODULES, held.FOLDER: str(self.held)},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )


def end_family(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it started, if it is alive."""
    if process.poll() is None:
        for one in [*psutil.Process(process.pid).children(recursive=True), process]:
            _send(one.pid, signal.SIGKILL)
        process.wait()


def _children(process: psutil.Process) -> list[psutil.Process]:
    """A process's children; none if it has just died."""
    try:
        return list(process.children())
    except psutil.Error:
        return []


def _says(process: psutil.Process, word: str) -> bool:
    """Whether a word is part of a living process's command line."""
    try:
        return word in " ".join(process.cmdline())
    except psutil.Error:
        return False


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
