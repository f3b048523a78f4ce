"""Flower as we serve it: on a broker of ours, closed to strangers, to look at and not to touch."""

from __future__ import annotations

import contextlib
import hmac
import logging
import signal
import time
from base64 import b64decode
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import redis
from celery import Celery
from celery.events import EventReceiver
from flower.app import Flower
from flower.events import Events
from flower.options import options
from flower.urls import settings
from kombu.exceptions import OperationalError
from tornado.httputil import HTTPServerRequest
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.web import RequestHandler, stream_request_body

from shared import names
from shared.addresses import Address
from shared.broker import connect, make_app
from shared.config.secrets import hide
from shared.errors import NotReadyError
from supervisor.system.without_password import WithoutPassword, spellings_of_password

_SAY_SO_EVERY_S = 5.0
_AGAIN_AFTER_S = 2.0
_TASKS_KEPT = 20_000  # the newest ones
_WORKERS_KEPT = 1_000
_GONE_AFTER_S = 600  # a worker that has ended is forgotten
_COLUMNS = "name,args,state,received,runtime,worker,uuid"
_OPEN = "/healthcheck"  # says OK and no more

log = logging.getLogger(__name__)


class FlowerServer(Flower):  # type: ignore[misc]
    """Flower, whose every page but one asks for a user and a password, and which controls no worker.

    What it can do to workers is not for us: a task that is revoked is published again, a worker's pool has one process,
    and workers are ended by a signal, when they have handed back what they do.
    """

    def __init__(self, broker_url: str, credentials: Sequence[str]) -> None:
        """`credentials`: `user:password`, as many as may look."""
        self._credentials = [one.encode() for one in credentials]
        self._client = connect(broker_url)
        options.basic_auth = list(credentials)
        options.read_only = True
        options.tasks_columns = _COLUMNS
        options.purge_offline_workers = _GONE_AFTER_S
        app, hidden = _application(broker_url), partial(WithoutPassword, passwords=spellings_of_password(broker_url))
        super().__init__(options, app, _Heard(app), transforms=[hidden], **settings)

    def listen_at(self, host: str, port: int) -> int:
        """Take the address; the port, which is another one where 0 was asked for. Raises NotReadyError."""
        options.address, options.port = host, port
        try:
            taken = int(self.start_http_server())
        except OSError as error:
            raise NotReadyError(
                f"--listen: {Address(host, port)} cannot be listened on ({error.strerror}); name another address, such "
                "as 127.0.0.1:0, which takes any port that is free."
            ) from None
        self._be_there()
        return taken

    def serve(self, may_go_on: Callable[[], bool]) -> None:
        """Serve until SIGTERM or Ctrl+C, or as long as `may_go_on`, which is asked every few seconds.

        Whoever can tell what happens to tasks is asked to do so meanwhile.
        """
        loop = self.io_loop.asyncio_loop
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)

        async def again() -> None:
            await self.io_loop.run_in_executor(None, self._be_there)
            if not await self.io_loop.run_in_executor(None, may_go_on):
                self.stop()

        PeriodicCallback(again, _SAY_SO_EVERY_S * 1000).start()
        self.start()
        self._leave()

    def _be_there(self) -> None:
        """Have supervisors and new workers know that tasks are looked at."""
        with contextlib.suppress(redis.RedisError):  # it may come back
            self._client.set(names.WATCHED_KEY, "", ex=names.WATCHED_TTL_S)

    def _leave(self) -> None:
        """Have nobody tell any more; another Flower that is there asks for it again."""
        with contextlib.suppress(redis.RedisError, OperationalError):  # the broker went first
            self._client.delete(names.WATCHED_KEY)
            self.capp.control.disable_events()

    def find_handler(self, request: HTTPServerRequest, **more: Any) -> Any:
        """Who answers: for a stranger nobody of Flower's own, which leaves some of its pages open."""
        if request.path == _OPEN or self._knows(request.headers.get("Authorization", "")):
            return super().find_handler(request, **more)
        return self.get_handler_delegate(request, _Refusal)

    def _knows(self, authorization: str) -> bool:
        kind, _, encoded = authorization.partition(" ")
        try:
            given = b64decode(encoded)
        except ValueError:
            return False
        return kind == "Basic" and any(hmac.compare_digest(given, one) for one in self._credentials)


def _application(broker_url: str) -> Celery:
    """With what the URL says of TLS as a setting, too: Flower reads no other to ask for the lengths of queues."""
    app, options = make_app(broker_url), connect(broker_url).connection_pool.connection_kwargs
    app.conf.broker_use_ssl = {name: value for name, value in options.items() if name.startswith("ssl_")} or None
    return app


class InOneSentence(logging.Filter):
    """Of what keeps Flower from answering, such as a broker that is away, the log has a sentence and no traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten it."""
        if record.exc_info and record.exc_info[1] is not None:
            record.msg, record.args = "! a page of Flower could not be told (%s)", (hide(str(record.exc_info[1])),)
            record.exc_info = record.exc_text = None
        return True


class _Heard(Events):  # type: ignore[misc]
    """What workers and supervisors tell. After a long outage Flower's own would wait as long again to listen anew."""

    def __init__(self, app: Celery) -> None:
        kept = {"max_tasks_in_memory": _TASKS_KEPT, "max_workers_in_memory": _WORKERS_KEPT}
        super().__init__(app, IOLoop.current(), **kept)

    def run(self) -> None:
        """Listen, on a new connection whenever one breaks."""
        away = False
        while True:
            try:
                with self.capp.connection() as connection:
                    receiver = EventReceiver(connection, handlers={"*": self.on_event}, app=self.capp)
                    away = False
                    receiver.capture(limit=None, timeout=None, wakeup=True)
            except Exception as error:  # whatever it is, it may be over soon
                if not away:
                    log.warning("! the broker is away (%s); Flower goes on when it is back", hide(str(error)))
                away = True
            time.sleep(_AGAIN_AFTER_S)


@stream_request_body
class _Refusal(RequestHandler):
    """The answer to a stranger, whatever was asked for. What more there is to read is not kept."""

    def prepare(self) -> None:
        """Ask for a user and a password."""
        self.set_status(401)
        self.set_header("WWW-Authenticate", 'Basic realm="flower"')
        self.finish("Access denied")

    def data_received(self, chunk: bytes) -> None:
        """Up to a hundred megabytes of a request that is answered."""

    def check_xsrf_cookie(self) -> None:
        """Nothing is done, so it does not matter who asks."""
