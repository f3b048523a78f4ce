"""A Redis that can go away and come back."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.broker import connect
from supervisor.system.embedded_broker import server_program


class Server:
    """A Redis that can go away and come back, with what it knew if it writes it down."""

    def __init__(self, folder: Path, *, remembers: bool) -> None:
        self.url = f"redis+socket://{folder}/r.sock"
        self._command = [server_program(), "--port", "0", "--unixsocket", f"{folder}/r.sock", "--save", ""]
        self._command += ["--dir", str(folder), "--appendonly", "yes" if remembers else "no"]
        self.process: subprocess.Popen[str]
        self.start()

    def await_key(self, pattern: str) -> None:
        """Return as soon as a key is there."""
        with connect(self.url) as client:
            while not client.keys(pattern):
                pass

    def be_away(self, away_s: float) -> None:
        """Be killed, and start again after a while."""
        self.end()
        time.sleep(away_s)
        self.start()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Answer nobody, with every connection open."""
        self.process.send_signal(signal.SIGSTOP)
        yield
        self.process.send_signal(signal.SIGCONT)

    @contextmanager
    def full(self) -> Iterator[None]:
        """Answer who reads, and refuse who writes."""
        with connect(self.url) as client:
            client.config_set("maxmemory", 1)
            yield
            client.config_set("maxmemory", 0)

    def end(self) -> None:
        """Be killed."""
        self.process.kill()
        self.process.wait()

    def start(self) -> None:
        """Start, and return when it answers."""
        self.process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        with self.process.stdout as said:
            next(line for line in said if "eady to accept connections" in line)


@contextmanager
def private_redis() -> Iterator[str]:
    """A Redis on a unix socket of its own; its URL."""
    with tempfile.TemporaryDirectory(prefix="modyn-test-", dir="/tmp") as folder:
        server = Server(Path(folder), remembers=False)
        yield server.url
        server.end()
