"""A broker is looked at before anything is asked of it."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from workplace import Workplace

from shared.config.load import load_configuration
from shared.errors import NotReadyError
from supervisor.system.readiness import reach_broker, ready_dataset


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
