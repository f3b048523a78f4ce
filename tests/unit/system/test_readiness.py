"""Broker and dataset are looked at before anything is asked of them."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from workplace import Workplace

from shared.config.load import Configuration, load_configuration
from shared.dataset.discovery import discover
from shared.errors import NotReadyError
from supervisor.system.readiness import await_rows, reach_broker, ready_dataset


class OldRedis(socketserver.StreamRequestHandler):
    """Answers as a Redis of version 6.0 does, as far as it is asked before a run."""

    def handle(self) -> None:
        """Read requests (arrays of texts) until the client goes."""
        while head := self.rfile.readline():
            words = []
            for _ in range(int(head[1:])):
                length = int(self.rfile.readline()[1:])
                words.append(self.rfile.read(length + 2)[:-2].upper())
            about = b"# Server\r\nredis_version:6.0.16\r\n"
            told = {b"PING": b"+PONG\r\n", b"INFO": b"$%d\r\n%s\r\n" % (len(about), about)}
            told[b"HELLO"] = b"%%1\r\n+proto\r\n:%s\r\n" % words[-1][:1]
            self.wfile.write(told.get(words[0], b"+OK\r\n"))


@pytest.fixture
def old_redis() -> Iterator[str]:
    """Its URL."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), OldRedis) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"redis://127.0.0.1:{server.server_address[1]}/0"
        server.shutdown()


def test_a_redis_that_is_too_old_is_refused_before_anything_starts(old_redis: str) -> None:
    """With its version and the one that is needed: later it would look as if it were away, for ever."""
    with pytest.raises(NotReadyError, match=r"is Redis 6\.0\.16; version 6\.2 or later is needed"):
        reach_broker(old_redis, old_redis)


def test_the_redis_of_the_tests_is_new_enough(redis_url: str) -> None:
    """A Redis or a Valkey, whichever is installed."""
    assert reach_broker(redis_url, redis_url).ping()


@pytest.fixture
def unfilled(small: Workplace) -> Configuration:
    """A run that follows a folder that is not there yet."""
    small.config["storage"]["datasets"]["rows"]["uri"] = "arriving"
    small.config["notification"] = {"every": "0.01s"}
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    return load_configuration(*files, experiment_mode=False)


def test_the_first_rows_are_waited_for(
    small: Workplace, unfilled: Configuration, caplog: pytest.LogCaptureFixture
) -> None:
    """An absent folder, an empty one, a file without rows: the wait is told once, and ends with the first row."""
    folder, parquet = small.folder / "arriving", small.folder / "data" / "part-0.parquet"

    def happenings() -> Iterator[object]:
        yield folder.mkdir()
        yield None
        yield pq.write_table(pq.read_table(parquet).slice(0, 0), folder / "a.parquet")
        yield parquet.rename(folder / "b.parquet")

    left = happenings()
    assert await_rows(unfilled, small.folder / "manifests", lambda: next(left))
    told = [one.getMessage() for one in caplog.records]
    assert told == [f"! dataset rows has no rows yet; waiting for the first ones in {folder}, looking every 0.01 s"]
    assert not list(left)


def test_rows_that_are_there_are_not_waited_for(small: Workplace, caplog: pytest.LogCaptureFixture) -> None:
    """And nothing is said."""
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    configuration = load_configuration(*files, experiment_mode=False)
    assert not await_rows(configuration, small.folder / "manifests", lambda: None)
    assert not caplog.records


def test_files_that_a_changed_uri_no_longer_matches(small: Workplace) -> None:
    """They are there, so they have not vanished: the key is named, what it was and is, and what to do."""
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    before = load_configuration(*files, experiment_mode=True)
    discover(before.system.datasets["rows"], before.system.artifacts_root)
    run = small.folder / "runs" / "small" / "2026-01-01T00-00-00Z"
    run.mkdir(parents=True)
    (run / "config.yaml").write_text(before.resolved_system_yaml())
    small.config["storage"]["datasets"]["rows"]["uri"] = "data/part-1*.parquet"
    small.write()
    with pytest.raises(NotReadyError) as caught:
        ready_dataset(load_configuration(*files, experiment_mode=True), small.folder / "manifests")
    (told,) = caught.value.problems
    assert told.startswith("config.yaml:")
    assert "storage.datasets.rows.uri" in told
    assert f"is {small.folder}/data/part-1*.parquet and was {small.folder}/data/*.parquet" in told
    assert f"no longer matches {small.folder}/data/part-0.parquet" in told
    assert "give the dataset a new name" in told
    assert "vanished" not in told


def test_what_is_not_read_is_told_before_a_run(
    small: Workplace, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each other entry of the dataset's folder, once, with the suffixes that are read."""
    folder = tmp_path / "rows"
    folder.mkdir()
    (folder / "a.csv").write_text("timestamp,x,label\n2024-01-01,1,0\n")
    (folder / "b.xlsx").write_text("")
    (folder / "c.csv").symlink_to("nowhere")
    (one,) = small.config["storage"]["datasets"].values()
    one.clear()
    one.update(uri=str(folder))
    small.write()
    files = small.folder / "pipeline.yaml", small.folder / "config.yaml"
    configuration = load_configuration(*files, experiment_mode=False)
    assert ready_dataset(configuration, tmp_path / "manifests").rows == 1
    told = [record.getMessage() for record in caplog.records]
    assert sum("b.xlsx: not read, as only *.parquet, *.csv" in line for line in told) == 1
    assert sum("c.csv: not read, a link that leads nowhere" in line for line in told) == 1
