"""A webhook on this machine that hears alerts."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from typing import Any

import pytest

_PATIENCE_S = 100.0


class Receiver:
    """A webhook on this machine. It answers once `may_answer` is set, which it is unless a test clears it."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.paths: list[str] = []
        self.heard: list[dict[str, Any]] = []
        self._new: Queue[dict[str, Any]] = Queue()
        receiver = self

        class Hook(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver._take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
                receiver.may_answer.wait(_PATIENCE_S)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def _take(self, path: str, body: bytes) -> None:
        alert = json.loads(body)
        self.paths.append(path)
        self.heard.append(alert)
        self._new.put(alert)

    def wait_for(self, event: str) -> dict[str, Any]:
        """The next alert of this event."""
        while True:
            try:
                alert = self._new.get(timeout=_PATIENCE_S)
            except Empty:
                pytest.fail(f"no {event} within {_PATIENCE_S:.0f} s; heard {self.heard}")
            if alert["event"] == event:
                return alert

    def events(self) -> list[str]:
        """The events of all alerts so far, in the order in which they came."""
        return [alert["event"] for alert in self.heard]


@contextmanager
def listening() -> Iterator[Receiver]:
    """A receiver that listens."""
    one = Receiver()
    thread = threading.Thread(target=one.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield one
    finally:
        one.may_answer.set()
        one.server.shutdown()
        thread.join()
        one.server.server_close()
