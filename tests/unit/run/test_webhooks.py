"""Alerts reach a web server, once for each condition."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from shared.config.system import Alert
from supervisor.core.events import Violated
from supervisor.core.notices import RowsNotAsExpected
from supervisor.run.listen.alert_rules import AlertRules
from supervisor.run.listen.webhooks import Webhooks


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A web server, and what was posted to it."""
    posted: list[dict[str, str]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", posted
    server.shutdown()
    server.server_close()


def test_an_alert_says_what_where_and_when(receiver: tuple[str, list[dict[str, str]]]) -> None:
    """The receiver gets the sentence, and which run it is about."""
    url, posted = receiver
    with closing(Webhooks([Alert(kind="webhook", url=url)], {"pipeline": "flights"})) as alerts:
        alerts.tell("trigger_failed", "the model raised", trigger=3)
    (alert,) = posted
    assert alert.pop("time").endswith("Z")
    assert alert == {"pipeline": "flights", "event": "trigger_failed", "sentence": "the model raised", "trigger": 3}


def test_rows_that_are_not_as_expected_are_alerted_to(receiver: tuple[str, list[dict[str, str]]]) -> None:
    """With their keys, what is wrong with them, and what is done."""
    url, posted = receiver
    violated = Violated(first_key=10, last_key=19, on_violation="skip", why="column `a` is null in 100 % of 10 rows")
    with closing(Webhooks([Alert(kind="webhook", url=url)], {})) as alerts:
        nobody: Any = None  # neither is asked while rules only hear
        AlertRules(alerts, nobody, nobody, 60.0).hear(RowsNotAsExpected(violated=violated))
    (alert,) = posted
    assert (alert["event"], alert["first_key"], alert["last_key"]) == ("rows_not_as_expected", 10, 19)
    assert alert["sentence"] == (
        "trigger skipped at key 19: column `a` is null in 100 % of 10 rows; rows 10 to 19 are set aside, and never "
        "trained on"
    )


def test_a_condition_is_told_once_until_it_ceases(receiver: tuple[str, list[dict[str, str]]]) -> None:
    """A run that is stalled for an hour sends one alert, and one when it goes on; one that stalls again another."""
    url, posted = receiver
    with closing(Webhooks([Alert(kind="webhook", url=url)], {})) as alerts:
        for holds in (False, True, True, False, True):
            alerts.while_true("run_stalled", holds, "nothing was reported")
    assert [alert["event"] for alert in posted] == ["run_stalled", "run_stalled_over", "run_stalled"]


def test_a_receiver_that_is_away_is_logged_and_harms_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The run goes on; the log says which alert was lost."""
    with closing(Webhooks([Alert(kind="webhook", url="http://127.0.0.1:9/hook")], {})) as alerts:
        alerts.tell("run_failed", "the disk is full")
    assert "the alert run_failed did not reach http://127.0.0.1:9/hook" in caplog.text


def test_an_answer_that_is_none_loses_no_later_alert(caplog: pytest.LogCaptureFixture) -> None:
    """What is no web server at all is told of like one that is away, each time."""

    class Rubbish(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"rubbish\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Rubbish) as server:
        threading.Thread(target=server.serve_forever).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        with closing(Webhooks([Alert(kind="webhook", url=url)], {})) as alerts:
            alerts.tell("trigger_failed", "the model raised")
            alerts.tell("run_failed", "the disk is full")
        server.shutdown()
    assert [event in caplog.text for event in ("alert trigger_failed did not", "alert run_failed did not")] == [
        True
    ] * 2


def test_without_receivers_nothing_is_sent() -> None:
    """The usual case costs no thread."""
    before = threading.active_count()
    with closing(Webhooks([], {})) as alerts:
        alerts.tell("run_failed", "the disk is full")
        assert threading.active_count() == before
