"""Serves `/metrics`, and pages beside it, from a thread that sleeps while nobody asks."""

from __future__ import annotations

import errno
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from socketserver import TCPServer, ThreadingMixIn
from types import TracebackType
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from shared.addresses import Address
from shared.blame import blame
from shared.config.secrets import hide
from shared.errors import NotReadyError
from shared.exposition.metric import Metric

_PORTS_TRIED = 100  # from the one that is asked for
_PATIENCE_S = 10.0  # with somebody who connects and asks nothing
_AT_ONCE = 32  # each has a thread and a file; a run needs those more
_WAITING = 128  # to be let in

COST = Metric("modyn_metrics_cpu_seconds_total", "Processor time that this page has cost so far.")

log = logging.getLogger(__name__)

Page = Callable[[], Any]  # what is told there, as JSON has it


class Exposition(Collector):
    """What one process shows, at an address of its own: a context. It knows no registry but this one."""

    def __init__(self, wanted: Address, key: str) -> None:
        """Take the address, or the next port that is free. `key`: where the address stands in config.yaml.

        Raises NotReadyError if it cannot be listened on.
        """
        self._server = _listen(wanted, key)
        self.address = Address(wanted.host, self._server.server_port)
        self.is_as_wanted = wanted.port in (0, self.address.port)
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(self)
        self._metrics = make_wsgi_app(self._registry)
        self._pages: dict[str, Page] = {}
        self._one_at_a_time = threading.Lock()
        self._cpu_s = 0.0
        self._closed = self._has_failed = False
        self._thread = threading.Thread(target=self._serve, name="metrics", daemon=True)

    def serve(self, collector: Collector, **pages: Page) -> None:
        """Begin to answer: with what the collector tells, at `/metrics`, and with pages by name."""
        self._registry.register(collector)
        self._pages = {f"/{name}": page for name, page in pages.items()}
        self._server.set_app(self._answer)
        self._thread.start()

    def collect(self) -> Iterator[Family]:
        """What it costs."""
        yield COST.counter(self._cpu_s)

    def __enter__(self) -> Exposition:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closed = True
        if self._thread.is_alive():
            self._server.socket.shutdown(socket.SHUT_RDWR)  # wakes the thread
            self._server.room.release()  # also where it waits for somebody to go
            self._thread.join()
        self._server.server_close()

    def _serve(self) -> None:
        while not self._closed:
            self._server.handle_request()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """A page, for one who asks at a time: several would not have it sooner."""
        began_s = time.thread_time()
        with self._one_at_a_time:
            try:
                return self._page(environ, start_response)
            except Exception as error:  # a mistake of ours, which is asked for again and again
                return self._failed(environ["PATH_INFO"], error, start_response)
            finally:
                self._cpu_s += time.thread_time() - began_s

    def _page(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            told: Iterable[bytes] = self._metrics(environ, start_response)
            return told
        if path not in self._pages:
            return _told("404 Not Found", {"pages": ["/metrics", *self._pages]}, start_response)
        try:
            return _told("200 OK", self._pages[path](), start_response)
        except NotReadyError as error:
            return _told("503 Service Unavailable", {"error": str(error)}, start_response)

    def _failed(self, path: str, error: Exception, start_response: Any) -> list[bytes]:
        """Say so, once; a traceback is for those who debug."""
        sentence = hide(f"this should not happen: {path} cannot be told: {blame(error)}")
        if not self._has_failed:
            log.warning("! metrics: %s. Report it; the run goes on without that page.", sentence)
            log.debug("metrics: %s", path, exc_info=error)
        self._has_failed = True
        return _told("500 Internal Server Error", {"error": sentence}, start_response)


def _told(status: str, content: Any, start_response: Any) -> list[bytes]:
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(content).encode()]


class _Handler(WSGIRequestHandler):
    timeout = _PATIENCE_S

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody wants to read who asked."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = _WAITING

    def __init__(self, address: Address) -> None:
        self.room = threading.Semaphore(_AT_ONCE)
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        self.address_family = found[0][0]
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Without asking a name server what this machine is called, which may take long."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]
        self.setup_environ()

    def get_request(self) -> Any:
        """Let the next one in, when there is room."""
        self.room.acquire()
        try:
            return super().get_request()
        except OSError:
            self.room.release()
            raise

    def close_request(self, request: Any) -> None:
        """One has gone."""
        super().close_request(request)
        self.room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who asked may have gone."""
        log.debug("metrics: a request was not answered", exc_info=True)


def _listen(wanted: Address, key: str) -> _Server:
    """On the port that is wanted, or on the next one: a second run on a machine has the same file."""
    last = min(wanted.port + _PORTS_TRIED, 65_536) if wanted.port else 1
    for port in range(wanted.port, last):
        try:
            return _Server(wanted._replace(port=port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise NotReadyError(
                    f"{key}: {wanted} cannot be listened on ({error.strerror}); name an address of this machine and a "
                    "port above 1023, such as 127.0.0.1:0, which takes any that is free."
                ) from None
    raise NotReadyError(f"{key}: no port from {wanted.port} to {last - 1} is free on {wanted.host}; name another.")
