"""Flower as we serve it: how it reaches a broker, and what it says when it cannot."""

from __future__ import annotations

import pytest
from flower.utils.broker import Broker
from tornado.log import app_log

from supervisor.system.flower_server import FlowerServer, InOneSentence


def test_lengths_of_queues_are_asked_for_with_the_options_of_the_url() -> None:
    """Flower's own client for that reads none of them, so that it would not know who signed the certificate."""
    server = FlowerServer("rediss://:word@localhost:1/0?ssl_ca_certs=/ca.pem", ["me:mine"])
    broker = Broker(server.broker_uri_with_password, broker_use_ssl=server.capp.conf.broker_use_ssl)
    assert broker.redis.connection_pool.connection_kwargs["ssl_ca_certs"] == "/ca.pem"


def test_a_page_that_cannot_be_told_is_logged_in_one_sentence(caplog: pytest.LogCaptureFixture) -> None:
    """Without a traceback, and without a password; what is no exception stays as it is."""
    said = InOneSentence()
    app_log.addFilter(said)
    try:
        raise ConnectionError("redis://:word@host is away")
    except ConnectionError:
        app_log.error("Uncaught exception %s", "GET /broker", exc_info=True)
    app_log.warning("as %s", "ever")
    app_log.removeFilter(said)
    assert [(one.getMessage(), one.exc_info) for one in caplog.records] == [
        ("! a page of Flower could not be told (redis://:***@host is away)", None),
        ("as ever", None),
    ]
