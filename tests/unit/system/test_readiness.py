"""Broker and dataset are looked at before anything is asked of them."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import Server

from shared.broker import connect
from shared.errors import NotReadyError
from supervisor.system.readiness import reach_broker


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


@pytest.mark.parametrize("given", ["", ":wrong@"])
def test_a_redis_that_wants_another_password_says_so(tmp_path: Path, given: str) -> None:
    """Its own words speak of the protocol; the sentence names the key, and says what to write."""
    server = Server(tmp_path, remembers=False)
    try:
        with connect(server.url) as client:
            client.config_set("requirepass", "right")
        url = server.url.replace("://", f"://{given}", 1)
        with pytest.raises(NotReadyError, match=r"^broker.url: \S+ lets nobody in with this user and password, or"):
            reach_broker(url, url)
    finally:
        server.end()
