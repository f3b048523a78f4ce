"""What a benchmark starts: a Redis of its own, and commands of the product; all of it ended, with its children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import FrameType

import psutil
import redis

from shared.broker import connect
from supervisor.system.embedded_broker import server_program

PROJECT = Path(__file__).resolve().parents[1]
_SOCKET = "r.sock"
_START_S = 10.0


def end_in_order_when_asked() -> None:
    """Have SIGTERM end this script as Ctrl+C does: what it started is ended, and its folder removed."""
    signal.signal(signal.SIGTERM, _leave)


def _leave(number: int, _: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


def redis_url(folder: Path) -> str:
    """Where the Redis of this folder answers; a socket's path holds 107 characters at most."""
    return f"redis+socket://{folder}/{_SOCKET}"


def start_redis(folder: Path) -> subprocess.Popen[bytes]:
    """A Redis with an append-only file, as a cluster's should be. Raises RuntimeError if it does not answer."""
    options = ["--port", "0", "--unixsocket", f"{folder}/{_SOCKET}", "--appendonly", "yes", "--save", ""]
    server = subprocess.Popen([server_program(), *options, "--dir", str(folder)], stdout=subprocess.DEVNULL)
    give_up_s = time.monotonic() + _START_S
    while time.monotonic() < give_up_s:
        try:
            connect(redis_url(folder)).ping()
            return server
        except redis.RedisError:
            time.sleep(0.02)
    end([server])
    raise RuntimeError(f"Redis did not answer at {folder}/{_SOCKET} within {_START_S:.0f} s")


def start(folder: Path, log: str, *command: str, interpreter: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    """A module of the product in a folder, as `python -m`; what it says goes to a file there."""
    with (folder / log).open("ab") as said:
        return subprocess.Popen(
            [sys.executable, *interpreter, "-m", *command],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )


def end(processes: Iterable[subprocess.Popen[bytes]]) -> None:
    """End these processes and their children, the last first; return when they are gone."""
    for process in reversed(list(processes)):
        if process.poll() is None:
            family = psutil.Process(process.pid).children(recursive=True)
            process.kill()
            process.wait()
            for one in family:
                if one.is_running():
                    one.kill()
            psutil.wait_procs(family, timeout=_START_S)
